#include "storage/append_plan.h"

#include <gmock/gmock.h>

namespace confab::storage {
namespace {

using Kind = AppendOutcome::Kind;

AppendRequest Post(const std::string& room, int64_t expected, const std::string& key) {
  NewEvent event;
  event.actor.id = UserId("ann");
  event.dedup.key = key;
  event.message_id = "id of " + key;
  return {RoomId(room), expected, {event}};
}

TEST(AppendPlanner, NamesEachRoomOnceInTheOrderOfIds) {
  const std::vector<AppendRequest> batch = {Post("b", 0, "1"), Post("a", 0, "2"),
                                            Post("b", 0, "3")};

  const AppendPlanner planner(batch);

  ASSERT_EQ(planner.rooms().size(), 2u);
  EXPECT_EQ(*planner.rooms()[0], RoomId("a"));
  EXPECT_EQ(*planner.rooms()[1], RoomId("b"));
}

TEST(AppendPlanner, UpdatesOnlyRoomsThatGetEvents) {
  const std::vector<AppendRequest> batch = {Post("a", 0, "1"), Post("b", 7, "2"), Post("c", 0, "3"),
                                            Post("d", 0, "4")};
  AppendPlanner planner(batch);
  planner.SetRoom(RoomId("a"), {4, 0, absl::UnixEpoch()});
  planner.SetRoom(RoomId("b"), {4, 0, absl::UnixEpoch()});
  planner.SetRoom(RoomId("c"), {4, 0, absl::UnixEpoch()});
  planner.SetRoom(RoomId("not asked"), {4, 0, absl::UnixEpoch()});
  planner.SetStored(2, {3, "old", absl::UnixEpoch()});

  const auto plan = planner.Plan(absl::FromUnixMicros(5));

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->outcomes[0].kind, Kind::kStored);
  EXPECT_EQ(plan->outcomes[1].kind, Kind::kStaleMembers);
  EXPECT_EQ(plan->outcomes[2].kind, Kind::kDuplicate);
  EXPECT_EQ(plan->outcomes[2].message_id, "old");
  EXPECT_EQ(plan->outcomes[3].kind, Kind::kRoomNotFound);
  ASSERT_EQ(plan->rooms.size(), 1u);
  EXPECT_EQ(*plan->rooms[0].id, RoomId("a"));
  EXPECT_EQ(plan->rooms[0].after.last_seq, 5);
}

// Where looking up goes along with locking, rooms are asked for that turn out to be gone, and a
// deleted room has rows until it is purged.
TEST(AppendPlanner, WhatWasFoundOfARoomThatIsGoneCountsForNothing) {
  std::vector<AppendRequest> batch = {Post("a", 0, "retry"), Post("a", 0, "answer"),
                                      Post("b", 0, "answer")};
  batch[1].events[0].reply_to = "m";
  batch[2].events[0].reply_to = "m";
  AppendPlanner planner(batch);
  planner.SetRoom(RoomId("b"), {1, 0, absl::UnixEpoch()});
  planner.SetStored(0, {1, "old", absl::UnixEpoch()});
  for (const size_t request : {size_t{1}, size_t{2}}) {
    planner.SetTarget(request, {1, UserId("ann"), false});
  }

  const auto plan = planner.Plan(absl::UnixEpoch());

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->outcomes[0].kind, Kind::kRoomNotFound);
  EXPECT_EQ(plan->outcomes[1].kind, Kind::kRoomNotFound);
  EXPECT_EQ(plan->outcomes[2].kind, Kind::kStored);
  EXPECT_EQ(plan->events.size(), 1u);
}

TEST(AppendPlanner, KeepsTheLaterOfClockAndLastEvent) {
  const std::vector<AppendRequest> batch = {Post("a", 0, "1"), Post("b", 0, "2")};
  AppendPlanner planner(batch);
  planner.SetRoom(RoomId("a"), {0, 0, absl::FromUnixMicros(900)});
  planner.SetRoom(RoomId("b"), {0, 0, absl::FromUnixMicros(100)});

  const auto plan = planner.Plan(absl::FromUnixMicros(500) + absl::Nanoseconds(7));

  EXPECT_EQ(plan->outcomes[0].created_at, absl::FromUnixMicros(900));
  EXPECT_EQ(plan->outcomes[1].created_at, absl::FromUnixMicros(500));
}

TEST(AppendPlanner, AStaleRequestLeavesItsKeyToALaterOne) {
  const std::vector<AppendRequest> batch = {Post("a", 1, "k"), Post("a", 0, "k"),
                                            Post("a", 0, "k")};
  AppendPlanner planner(batch);
  planner.SetRoom(RoomId("a"), {});

  const auto plan = planner.Plan(absl::UnixEpoch());

  EXPECT_EQ(plan->outcomes[0].kind, Kind::kStaleMembers);
  EXPECT_EQ(plan->outcomes[1].kind, Kind::kStored);
  EXPECT_EQ(plan->outcomes[2].kind, Kind::kDuplicate);
}

TEST(AppendPlanner, RefusesAFurtherKeyThatTheBatchBroughtAlready) {
  std::vector<AppendRequest> batch = {Post("a", 0, "k"), Post("a", 0, "new")};
  batch[1].events.push_back(batch[0].events[0]);
  AppendPlanner planner(batch);
  planner.SetRoom(RoomId("a"), {});

  EXPECT_TRUE(absl::IsInvalidArgument(planner.Plan(absl::UnixEpoch()).status()));
}

}  // namespace
}  // namespace confab::storage
