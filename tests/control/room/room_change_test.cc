#include "control/room/room_change.h"

#include <string>

#include <gtest/gtest.h>

#include "control/status_reason.h"

namespace confab::control {
namespace {

std::string WhyOf(const v1::RoomChanges& changes) {
  const absl::Status status = CheckChanges(changes);
  return status.ok() ? "" : std::string(status.message());
}

TEST(RoomChange, NamesTheFieldThatIsWrong) {
  v1::RoomChanges changes;
  EXPECT_EQ(WhyOf(changes), "");
  changes.set_topic(std::string(257, 'x'));
  EXPECT_EQ(WhyOf(changes), "topic: at most 256 bytes");
  changes.set_topic(std::string("a\0b", 3));
  EXPECT_EQ(WhyOf(changes), "topic: is not valid UTF-8 or contains NUL");
  changes.clear_topic();
  changes.set_slow_mode_seconds(21'601);
  EXPECT_EQ(WhyOf(changes), "slowModeSeconds: at most 21600");
  changes.clear_slow_mode_seconds();
  (*changes.mutable_set_metadata())[""] = "x";
  EXPECT_EQ(WhyOf(changes), "metadata: a key has 1 to 64 bytes");
  changes.clear_set_metadata();
  (*changes.mutable_set_metadata())["k"] = std::string(1025, 'x');
  EXPECT_EQ(WhyOf(changes), "metadata: a value has at most 1024 bytes");
  changes.clear_set_metadata();
  changes.set_visibility(static_cast<v1::RoomVisibility>(9));
  EXPECT_EQ(ReasonOf(CheckChanges(changes)), v1::REASON_BAD_REQUEST);
}

TEST(RoomChange, LeavesAloneWhatIsNotSet) {
  storage::RoomSettings settings{"tea", true, false, true, 5, {{"a", "1"}, {"b", "2"}}};
  const storage::RoomSettings before = settings;

  EXPECT_TRUE(ApplyChanges(v1::RoomChanges(), settings).empty());
  EXPECT_EQ(settings, before);

  v1::RoomChanges changes;
  changes.set_topic("");
  changes.set_visibility(v1::ROOM_VISIBILITY_PRIVATE);
  changes.add_remove_metadata("a");
  changes.add_remove_metadata("b");
  (*changes.mutable_set_metadata())["b"] = "3";
  EXPECT_EQ(ApplyChanges(changes, settings),
            (std::vector<std::string>{"topic", "visibility", "metadata"}));
  EXPECT_EQ(settings, (storage::RoomSettings{"", false, false, true, 5, {{"b", "3"}}}));
}

TEST(RoomChange, AsksForWhatAPersonsChangeNeeds) {
  using Kind = PersonChange::Kind;
  const auto reason = [](const PersonChange& change) {
    const absl::Status status = CheckPerson(change);
    return status.ok() ? v1::REASON_UNSPECIFIED : ReasonOf(status);
  };

  EXPECT_EQ(reason({Kind::kBan, storage::UserId("a")}), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(reason({Kind::kBan, storage::UserId("")}), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(reason({Kind::kAdd, storage::UserId("a")}), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(reason({Kind::kRole, storage::UserId("a")}), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(reason({Kind::kMute, storage::UserId("a"), {}, 315'360'001}), v1::REASON_BAD_REQUEST);
}

}  // namespace
}  // namespace confab::control
