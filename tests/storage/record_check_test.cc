#include "storage/record_check.h"

#include <string>

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

constexpr std::string_view kGood[] = {"\x01\x7F",     "\xC2\x80",         "\xDF\xBF",
                                      "\xE0\xA0\x80", "\xED\x9F\xBF",     "\xEE\x80\x80",
                                      "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"};
constexpr std::string_view kBad[] = {std::string_view("\0", 1),
                                     "\x80",
                                     "\xC0\xAF",
                                     "\xC1\xBF",
                                     "\xC2",
                                     "\xC2\x41",
                                     "\xE0\x9F\xBF",
                                     "\xE1\x80",
                                     "\xED\xA0\x80",
                                     "\xEE\x80\xC0",
                                     "\xF0\x8F\xBF\xBF",
                                     "\xF4\x90\x80\x80",
                                     "\xF5\x80\x80\x80",
                                     "\xF1\x80\x80",
                                     "\xFF"};

TEST(IsStorableText, TakesUtf8AndNothingElse) {
  for (const std::string_view good : {"", "ascii"}) EXPECT_TRUE(IsStorableText(good)) << good;
  for (const std::string_view good : kGood) EXPECT_TRUE(IsStorableText(good)) << good;
  for (const std::string_view bad : kBad) EXPECT_FALSE(IsStorableText(bad)) << bad;
}

// Eight bytes are looked at together: sequences lie in front of, across and behind such borders.
TEST(IsStorableText, IsTheSameWhereverInATextOfWhateverLength) {
  for (size_t before = 0; before <= 17; ++before) {
    for (size_t behind = 0; behind <= 17; ++behind) {
      const auto within = [&](std::string_view sequence) {
        return std::string(before, 'a') + std::string(sequence) + std::string(behind, '~');
      };
      EXPECT_TRUE(IsStorableText(within("")));
      for (const std::string_view good : kGood) {
        ASSERT_TRUE(IsStorableText(within(good))) << before << " " << behind << " " << good;
        ASSERT_TRUE(IsStorableText(within(std::string(good) + std::string(good))));
      }
      for (const std::string_view bad : kBad) {
        ASSERT_FALSE(IsStorableText(within(bad))) << before << " " << behind << " " << bad;
        ASSERT_FALSE(IsStorableText(within("\xC3\xBC" + std::string(bad))));
      }
    }
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
