// What every store owes read pointers and unread counts.
#include <string>

#include <gmock/gmock.h>

#include "tests/contract/store_backends.h"

namespace confab::storage {
namespace {

class StorePointers : public StoreContract {
 protected:
  // Ann and bob in room a, whose log then ends with seq 2.
  void CreateRoom(const std::string& id = "a") {
    Create(id, {{UserId("ann"), Role::kOwner}, {UserId("bob"), Role::kMember}});
  }
  PointerOutcome Move(const std::string& user, int64_t seq, const std::string& room = "a") {
    const auto outcomes = writer_->MovePointers({{{RoomId(room), UserId(user), seq, true}}});
    EXPECT_TRUE(outcomes.ok()) << outcomes.status();
    return outcomes.ok() ? outcomes->at(0) : PointerOutcome{};
  }
  ReadPosition PositionOf(const std::string& user, const std::string& room = "a") {
    const auto rooms = store_->ListMemberships(UserId(user), RoomId(""), 100);
    EXPECT_TRUE(rooms.ok()) << rooms.status();
    for (const MembershipRecord& membership : *rooms) {
      if (membership.room.id == RoomId(room)) return membership.read;
    }
    return {-1, -1};
  }
  void Delete(const std::string& message_key, const std::string& key) {
    AppendRequest request = Post("a", MemberSeq("a"), key, "");
    request.events[0].kind = EventKind::kMessageDeleted;
    request.events[0].message_id = "id-of-" + message_key;
    EXPECT_EQ(AppendOne(request).kind, AppendOutcome::Kind::kStored);
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, StorePointers, testing::ValuesIn(AllBackends()), BackendName);

TEST_P(StorePointers, CountsMessagesBehindThePointerThatAreNotDeleted) {
  CreateRoom();
  Append({Post("a", 2, "3"), Post("a", 2, "4"), Post("a", 2, "5")});
  AppendOne(Change("a", 2, EventKind::kMemberAdded, "cy", Role::kMember, "c"));
  AppendOne(Post("a", 6, "7"));
  Delete("4", "d");

  EXPECT_EQ(PositionOf("bob"), (ReadPosition{2, 3}));
  EXPECT_EQ(PositionOf("cy"), (ReadPosition{6, 1}));

  const PointerOutcome outcome = Move("bob", 3);
  EXPECT_TRUE(outcome.is_room_there);
  EXPECT_TRUE(outcome.has_moved);
  EXPECT_EQ(outcome.position, (ReadPosition{3, 2}));
  EXPECT_EQ(outcome.members, 3);
  EXPECT_EQ(PositionOf("bob"), (ReadPosition{3, 2}));
  EXPECT_EQ(Move("bob", 6).position, (ReadPosition{6, 1}));
  EXPECT_EQ(Move("bob", 7).position, (ReadPosition{7, 0}));
}

TEST_P(StorePointers, MovesForwardOnlyAndNotBeyondTheLog) {
  CreateRoom();
  Append({Post("a", 2, "3"), Post("a", 2, "4")});

  EXPECT_EQ(Move("bob", 4).position.seq, 4);
  const PointerOutcome back = Move("bob", 3);
  EXPECT_FALSE(back.has_moved);
  EXPECT_EQ(back.position, (ReadPosition{4, 0}));
  EXPECT_EQ(Move("ann", 1000).position, (ReadPosition{4, 0}));
  AppendOne(Post("a", 2, "5"));
  EXPECT_EQ(PositionOf("ann"), (ReadPosition{4, 1}));
  EXPECT_FALSE(Move("ann", 5, "nowhere").is_room_there);
}

TEST_P(StorePointers, AnswersEachMoveOfABatchInOrder) {
  CreateRoom("a");
  CreateRoom("b");
  Append({Post("a", 2, "3"), Post("b", 2, "3"), Post("b", 2, "4")});

  const auto outcomes = writer_->MovePointers({{{RoomId("b"), UserId("bob"), 3, true},
                                                {RoomId("none"), UserId("bob"), 3, true},
                                                {RoomId("a"), UserId("ann"), 3, false},
                                                {RoomId("b"), UserId("bob"), 4, true},
                                                {RoomId("a"), UserId("bob"), 1, true}}});

  ASSERT_TRUE(outcomes.ok()) << outcomes.status();
  ASSERT_EQ(outcomes->size(), 5u);
  EXPECT_EQ((*outcomes)[0].position, (ReadPosition{4, 0}));
  EXPECT_FALSE((*outcomes)[1].is_room_there);
  EXPECT_TRUE((*outcomes)[2].has_moved);
  EXPECT_EQ((*outcomes)[3].position, (ReadPosition{4, 0}));
  EXPECT_FALSE((*outcomes)[4].has_moved);
  EXPECT_EQ((*outcomes)[4].position, (ReadPosition{2, 1}));
  EXPECT_EQ(PositionOf("ann", "a"), (ReadPosition{3, 0}));
}

TEST_P(StorePointers, CountsNoMoreMembersThanReceiptsAreShownTo) {
  std::vector<std::pair<UserId, Role>> members;
  for (int i = 0; i < PointerOutcome::kMembersCounted + 9; ++i) {
    members.emplace_back("user" + std::to_string(i), Role::kMember);
  }
  Create("a", members);

  EXPECT_EQ(Move("user1", 60).members, PointerOutcome::kMembersCounted);
}

TEST_P(StorePointers, ListsAUsersRoomsPageByPage) {
  for (const std::string id : {"a", "b", "c", "d"}) CreateRoom(id);
  Create("e");
  AppendOne(Change("c", 2, EventKind::kMemberRemoved, "bob", Role::kNone, "r"));
  AppendOne(Post("d", 2, "3"));

  const auto first = store_->ListMemberships(UserId("bob"), RoomId(""), 2);
  const auto second = store_->ListMemberships(UserId("bob"), RoomId("b"), 2);

  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ((*first)[1].room.id, RoomId("b"));
  EXPECT_EQ((*first)[1].role, Role::kMember);
  EXPECT_EQ((*first)[1].read, (ReadPosition{2, 0}));
  ASSERT_EQ(second->size(), 1u);
  EXPECT_EQ((*second)[0].room.id, RoomId("d"));
  EXPECT_EQ((*second)[0].room.last_seq, 3);
  EXPECT_EQ((*second)[0].read, (ReadPosition{2, 1}));
}

TEST_P(StorePointers, TellsWhatAPointerWouldHaveBehindIt) {
  CreateRoom();
  Append({Post("a", 2, "3"), Post("a", 2, "4"), Post("a", 2, "5")});
  Delete("5", "d");

  EXPECT_EQ(*store_->ReadPositionAt(RoomId("a"), 0), (ReadPosition{0, 2}));
  EXPECT_EQ(*store_->ReadPositionAt(RoomId("a"), 3), (ReadPosition{3, 1}));
  EXPECT_EQ(*store_->ReadPositionAt(RoomId("a"), 99), (ReadPosition{6, 0}));
  EXPECT_TRUE(absl::IsNotFound(store_->ReadPositionAt(RoomId("b"), 0).status()));
}

TEST_P(StorePointers, RepairsWhatSendersHaveNotWrittenDown) {
  CreateRoom("a");
  CreateRoom("b");
  AppendRequest bobs = Post("a", 2, "4");
  bobs.events[0].actor.id = UserId("bob");
  AppendRequest systems = Post("b", 2, "4");
  systems.events[0].actor = {};
  Append({Post("a", 2, "3"), bobs, Post("b", 2, "3"), systems});

  const auto step = writer_->RepairPointers(absl::Seconds(60), {}, 10);

  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_TRUE(step->is_done);

  EXPECT_EQ(PositionOf("ann", "a"), (ReadPosition{3, 1}));
  EXPECT_EQ(PositionOf("bob", "a"), (ReadPosition{4, 0}));
  EXPECT_EQ(PositionOf("ann", "b"), (ReadPosition{3, 1}));
  EXPECT_EQ(PositionOf("bob", "b"), (ReadPosition{2, 2}));
}

TEST_P(StorePointers, RepairsAFewRoomsAtATimeAndRemembersWhatWasNewestAtFirst) {
  for (const std::string id : {"a", "b", "c", "d"}) CreateRoom(id);
  AppendOne(Post("d", 2, "3"));

  PointerRepair repair;
  int steps = 0;
  while (!repair.is_done && steps < 9) {
    auto next = writer_->RepairPointers(absl::ZeroDuration(), repair, 3);
    ASSERT_TRUE(next.ok()) << next.status();
    EXPECT_LT(repair.after, next->after);
    repair = *std::move(next);
    if (++steps == 1) AppendOne(Post("a", 2, "3"));
  }

  EXPECT_EQ(steps, 2);
  EXPECT_EQ(PositionOf("ann", "d"), (ReadPosition{3, 0}));
  EXPECT_EQ(PositionOf("ann", "a").unread, 1) << "this one came behind the step";
}

TEST_P(StorePointers, StartAnewWithARoomThatIsCreatedAgain) {
  CreateRoom();
  Append({Post("a", 2, "3"), Post("a", 2, "4")});
  ASSERT_TRUE(writer_->DeleteRoom(RoomId("a"), nullptr).ok());
  CreateRoom();

  AppendOne(Post("a", 6, "7"));

  EXPECT_EQ(PositionOf("bob"), (ReadPosition{6, 1}));
  EXPECT_EQ(store_->ReadPositionAt(RoomId("a"), 0)->unread, 1);
}

}  // namespace
}  // namespace confab::storage
