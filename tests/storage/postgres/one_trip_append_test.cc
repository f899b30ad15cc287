#include "storage/postgres/one_trip_append.h"

#include <string>

#include <gtest/gtest.h>

namespace confab::storage {
namespace {

constexpr size_t kHandful = 8;

AppendRequest Message(const std::string& room, const std::string& actor, const std::string& key) {
  NewEvent event;
  event.actor.id = UserId(actor);
  event.dedup = {DedupKey::Space::kClient, key};
  return {RoomId(room), 0, {event}};
}

std::vector<AppendRequest> Handful() {
  std::vector<AppendRequest> batch;
  for (size_t i = 0; i < kHandful; ++i) batch.push_back(Message("a", "ann", std::to_string(i)));
  return batch;
}

TEST(FitsOneTrip, TakesMessagesWithKeysOfTheirOwn) {
  EXPECT_TRUE(FitsOneTrip({Message("a", "ann", "k")}));
  EXPECT_TRUE(FitsOneTrip(Handful()));
  AppendRequest other_space = Message("a", "ann", "k");
  other_space.events[0].dedup.space = DedupKey::Space::kService;
  EXPECT_TRUE(FitsOneTrip({Message("a", "ann", "k"), Message("b", "ann", "k"),
                           Message("a", "bob", "k"), Message("b", "bob", "k"), other_space}));
}

TEST(FitsOneTrip, LeavesAKeyThatComesTwiceToTheOtherShape) {
  for (size_t later = 1; later < kHandful; ++later) {
    for (size_t earlier = 0; earlier < later; ++earlier) {
      std::vector<AppendRequest> batch = Handful();
      batch[later].events[0].dedup = batch[earlier].events[0].dedup;
      EXPECT_FALSE(FitsOneTrip(batch)) << earlier << " " << later;
    }
  }
}

TEST(FitsOneTrip, LeavesWhatIsNoSimpleMessageToTheOtherShape) {
  const std::vector<void (*)(AppendRequest&)> spoilers = {
      [](AppendRequest& r) { r.events.clear(); },
      [](AppendRequest& r) { r.events.push_back(r.events[0]); },
      [](AppendRequest& r) { r.events[0].kind = EventKind::kMessageEdited; },
      [](AppendRequest& r) { r.events[0].kind = EventKind::kMemberAdded; },
      [](AppendRequest& r) { r.events[0].reply_to = "a message"; },
  };
  for (size_t i = 0; i < spoilers.size(); ++i) {
    for (const size_t place : {size_t{0}, kHandful - 1}) {
      std::vector<AppendRequest> batch = Handful();
      spoilers[i](batch[place]);
      EXPECT_FALSE(FitsOneTrip(batch)) << "spoiler " << i << " at " << place;
    }
  }
}

}  // namespace
}  // namespace confab::storage
