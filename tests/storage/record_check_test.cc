#include "storage/record_check.h"

#include <gtest/gtest.h>

namespace confab::storage {
namespace {

AppendRequest Valid() {
  NewEvent event;
  event.dedup.key = "k";
  return {RoomId("a"), 0, {event}};
}

absl::Status Check(const AppendRequest& request) {
  return CheckBatch(absl::MakeConstSpan(&request, 1));
}

TEST(IsStorableText, TakesUtf8AndNothingElse) {
  for (const std::string_view good :
       {"", "ascii", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "\x01\x7F"}) {
    EXPECT_TRUE(IsStorableText(good)) << good;
  }
  for (const std::string_view bad :
       {std::string_view("\0", 1), std::string_view("a\0", 2), std::string_view("\x80"),
        std::string_view("\xC0\xAF"), std::string_view("\xC1\xBF"), std::string_view("\xC2"),
        std::string_view("\xC2\x41"), std::string_view("\xE0\x9F\xBF"),
        std::string_view("\xE1\x80"), std::string_view("\xED\xA0\x80"),
        std::string_view("\xF0\x8F\xBF\xBF"), std::string_view("\xF4\x90\x80\x80"),
        std::string_view("\xF5\x80\x80\x80"), std::string_view("\xF1\x80\x80"),
        std::string_view("\xFF")}) {
    EXPECT_FALSE(IsStorableText(bad)) << bad;
  }
}

TEST(CheckBatch, TakesAMessageAndChangesOfMembers) {
  AppendRequest request = Valid();
  EXPECT_TRUE(Check(request).ok());

  for (const EventKind kind : {EventKind::kMemberAdded, EventKind::kMemberRoleChanged}) {
    request.events[0].kind = kind;
    request.events[0].subject = UserId("bob");
    request.events[0].role = Role::kReader;
    EXPECT_TRUE(Check(request).ok());
  }
  request.events[0].kind = EventKind::kMemberRemoved;
  request.events[0].role = Role::kNone;
  EXPECT_TRUE(Check(request).ok());
}

TEST(CheckBatch, RefusesWhatNoBackendCouldKeep) {
  const std::vector<void (*)(AppendRequest&)> spoilers = {
      [](AppendRequest& r) { r.events.clear(); },
      [](AppendRequest& r) { r.room.value.clear(); },
      [](AppendRequest& r) { r.room.value = std::string(129, 'x'); },
      [](AppendRequest& r) { r.room.value = "\xFF"; },
      [](AppendRequest& r) { r.events[0].dedup.key.clear(); },
      [](AppendRequest& r) { r.events[0].dedup.key = std::string(301, 'x'); },
      [](AppendRequest& r) { r.events[0].dedup.key = "\xFF"; },
      [](AppendRequest& r) { r.events[0].actor.id.value = std::string(129, 'x'); },
      [](AppendRequest& r) { r.events[0].actor.name = "\xFF"; },
      [](AppendRequest& r) { r.events[0].actor.email = "\xFF"; },
      [](AppendRequest& r) { r.events[0].message_id = "\xFF"; },
      [](AppendRequest& r) { r.events[0].type = "\xFF"; },
      [](AppendRequest& r) { r.events[0].content = std::string("a\0", 2); },
      [](AppendRequest& r) { r.events[0].reply_to = "\xFF"; },
      [](AppendRequest& r) { r.events[0].subject.value = "\xFF"; },
      [](AppendRequest& r) { r.events[0].kind = static_cast<EventKind>(2); },
      [](AppendRequest& r) { r.events[0].kind = EventKind::kMemberRemoved; },
      [](AppendRequest& r) {
        r.events[0].kind = EventKind::kMemberAdded;
        r.events[0].subject = UserId("bob");
      },
  };
  for (size_t i = 0; i < spoilers.size(); ++i) {
    AppendRequest request = Valid();
    spoilers[i](request);

    EXPECT_TRUE(absl::IsInvalidArgument(Check(request))) << "spoiler " << i;
  }
}

}  // namespace
}  // namespace confab::storage
