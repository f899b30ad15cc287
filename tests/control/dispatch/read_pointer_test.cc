// Read pointers and unread counts: markRead, one's own messages, what a restart must not lose.
#include <gmock/gmock.h>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::ReadPosition;
using storage::RoomId;
using storage::StoreCall;
using storage::UserId;

class ReadPointerTest : public ControlBench {
 protected:
  static EdgeCommand Mark(const std::string& user, uint64_t request, const std::string& room,
                          int64_t seq) {
    EdgeCommand input = TestEdge::Ask(1, user, request);
    input.command.mutable_mark_read()->set_room_id(room);
    input.command.mutable_mark_read()->set_seq(seq);
    return input;
  }
  // What a list of the user's rooms shows of this one.
  ReadPosition PositionOf(TestEdge& edge, const std::string& user, const std::string& room) {
    EdgeCommand input = TestEdge::Ask(1, user, ++requests_);
    input.command.mutable_list_rooms();
    const v1::Result result = edge.Do(std::move(input));
    for (const v1::Room& found : result.rooms().rooms()) {
      if (found.id() == room) return {found.read_seq(), found.unread_count()};
    }
    return {-1, -1};
  }

  void OpenWithDelay(absl::Duration delay) {
    dispatcher_.reset();
    store_.reset();
    DispatcherOptions options;
    options.lanes = 2;
    options.own_pointers_delay = delay;
    Open(options);
  }
  // What the store has of the room "a", once the pointer has come to `seq`; or after a long wait.
  ReadPosition AwaitStored(const std::string& user, int64_t seq) {
    ReadPosition position;
    const Deadline end = Soon();
    while (position.seq < seq && std::chrono::steady_clock::now() < end) {
      const auto rooms = store_->ListMemberships(UserId(user), RoomId(), 10);
      if (rooms.ok() && !rooms->empty()) position = rooms->at(0).read;
    }
    return position;
  }

  uint64_t requests_ = 5000;
};

TEST_F(ReadPointerTest, MovesAPointerForwardOnly) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  for (const std::string text : {"3", "4", "5"}) edge.DoPost(1, "ann", "a", text);
  EXPECT_EQ(PositionOf(edge, "bob", "a"), (ReadPosition{2, 3}));

  const v1::Result marked = edge.Do(Mark("bob", 1, "a", 4));
  const v1::Result back = edge.Do(Mark("bob", 2, "a", 3));
  const v1::Result beyond = edge.Do(Mark("bob", 3, "a", 1000));

  EXPECT_EQ(marked.mark_read().room_id(), "a");
  EXPECT_EQ(marked.mark_read().seq(), 4);
  EXPECT_EQ(marked.mark_read().unread_count(), 1);
  EXPECT_EQ(back.mark_read().seq(), 4);
  EXPECT_EQ(beyond.mark_read().seq(), 5);
  EXPECT_EQ(beyond.mark_read().unread_count(), 0);
  EXPECT_EQ(PositionOf(edge, "bob", "a"), (ReadPosition{5, 0}));
}

TEST_F(ReadPointerTest, RefusesWhoIsNoMember) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  EXPECT_EQ(WordOf(edge.Do(Mark("eve", 1, "a", 1))), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(edge.Do(Mark("ann", 2, "none", 1))), "ROOM_NOT_FOUND");
  EXPECT_EQ(WordOf(edge.Do(Mark("ann", 3, "a", -1))), "BAD_REQUEST");
}

TEST_F(ReadPointerTest, CountsOnesOwnMessageAsReadBeforeItIsWrittenDown) {
  MakeRoom("a", {"ann", "bob"});
  MakeRoom("b", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoPost(1, "ann", "a", "3");
  edge.DoPost(1, "bob", "a", "4");
  edge.DoPost(1, "ann", "a", "5");
  edge.DoPost(1, "ann", "b", "3");
  const int written = store_->calls(StoreCall::kMovePointers);

  EXPECT_EQ(PositionOf(edge, "ann", "a"), (ReadPosition{5, 0}));
  EXPECT_EQ(PositionOf(edge, "bob", "a"), (ReadPosition{4, 1}));
  EXPECT_EQ(PositionOf(edge, "bob", "b"), (ReadPosition{2, 1}));
  EXPECT_EQ(store_->calls(StoreCall::kMovePointers), written);
  EXPECT_EQ(edge.Do(Mark("bob", 9, "a", 3)).mark_read().seq(), 4);
}

TEST_F(ReadPointerTest, WritesOnesOwnPointersDownNowAndThen) {
  OpenWithDelay(absl::Milliseconds(100));
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  const int before = store_->calls(StoreCall::kMovePointers);
  for (int i = 0; i < 200; ++i) edge.DoPost(1, i % 2 == 0 ? "ann" : "bob", "a", "x");

  EXPECT_EQ(AwaitStored("ann", 201), (ReadPosition{201, 1}));
  EXPECT_EQ(AwaitStored("bob", 202), (ReadPosition{202, 0}));
  EXPECT_LT(store_->calls(StoreCall::kMovePointers) - before, 100);
}

TEST_F(ReadPointerTest, WritesOnesOwnPointersAgainThatWereNotTaken) {
  OpenWithDelay(absl::Milliseconds(20));
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  store_->Fail(StoreCall::kMovePointers, absl::InvalidArgumentError("broken"));

  edge.DoPost(1, "ann", "a", "2");

  EXPECT_EQ(AwaitStored("ann", 2), (ReadPosition{2, 0}));
}

TEST_F(ReadPointerTest, RepairsOnesOwnPointersAfterARestart) {
  MakeRoom("a", {"ann", "bob"});
  {
    TestEdge edge(*dispatcher_, "e1");
    edge.DoPost(1, "bob", "a", "3");
    edge.DoPost(1, "ann", "a", "4");
  }

  Restart();
  TestEdge edge(*dispatcher_, "e2");
  edge.DoPost(1, "bob", "a", "5");  // Behind the repair, which comes before the first write.

  EXPECT_EQ(PositionOf(edge, "ann", "a"), (ReadPosition{4, 1}));
}

TEST_F(ReadPointerTest, DoesNotCountDeletedMessages) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = edge.DoPost(1, "ann", "a", "3").post_message().message_id();
  edge.DoPost(1, "ann", "a", "4");
  EdgeCommand deletion = TestEdge::Ask(1, "ann", 7);
  deletion.command.mutable_delete_message()->set_room_id("a");
  deletion.command.mutable_delete_message()->set_message_id(id);

  ASSERT_EQ(WordOf(edge.Do(std::move(deletion))), "ok");

  EXPECT_EQ(PositionOf(edge, "bob", "a"), (ReadPosition{2, 1}));
}

TEST_F(ReadPointerTest, TriesAgainWhenTheStoreIsAway) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoPost(1, "ann", "a", "3");
  store_->Fail(StoreCall::kMovePointers, absl::UnavailableError("away"), 1, 2);

  EXPECT_EQ(edge.Do(Mark("bob", 1, "a", 3)).mark_read().seq(), 3);
}

}  // namespace
}  // namespace confab::control
