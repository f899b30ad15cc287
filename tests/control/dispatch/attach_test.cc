// An edge that was away: what it gets, in which order, and who is not subscribed any more.
#include <algorithm>

#include <gmock/gmock.h>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::Role;
using storage::RoomId;
using storage::StoreCall;
using storage::UserId;
using testing::Contains;
using testing::Not;

class AttachTest : public ControlBench {
 protected:
  static std::vector<EdgeAnnouncement::Room> Announce(const std::string& room, int64_t seq,
                                                      const Users& users) {
    EdgeAnnouncement::Room announced;
    announced.room = RoomId(room);
    announced.delivered_seq = seq;
    for (const std::string& user : users) announced.users.emplace_back(user);
    std::vector<EdgeAnnouncement::Room> rooms;
    rooms.push_back(std::move(announced));
    return rooms;
  }
  void Post(const std::string& room, int from, int to) {
    for (int i = from; i <= to; ++i) {
      const auto posted = PostAsSystem(room, std::to_string(i));
      ASSERT_TRUE(posted.ok()) << posted.status();
      ASSERT_EQ(posted->seq, i);
    }
  }
  static Lines Events(int from, int to) {
    Lines events;
    for (int i = from; i <= to; ++i) {
      events.push_back("event " + std::to_string(i) + " " + std::to_string(i));
    }
    return events;
  }
};

TEST_F(AttachTest, SendsExactlyWhatWasMissed) {
  MakeRoom("a", {"ann"});
  Post("a", 2, 20);
  Restart();

  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 7, {"ann"}));
  ASSERT_TRUE(edge.stream().AwaitLine("event 20 20"));
  Post("a", 21, 22);

  ASSERT_TRUE(edge.stream().AwaitLine("event 22 22"));
  EXPECT_EQ(edge.stream().lines(), Events(8, 22));
}

TEST_F(AttachTest, IsLiveAtOnceWhenNothingWasMissed) {
  MakeRoom("a", {"ann"});
  Post("a", 2, 5);
  Restart();

  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 5, {"ann"}));
  Post("a", 6, 6);

  ASSERT_TRUE(edge.stream().AwaitLine("event 6 6"));
  EXPECT_EQ(edge.stream().lines(), Events(6, 6));
}

TEST_F(AttachTest, ReadsManyPagesWhileLivePostsGoOn) {
  MakeRoom("a", {"ann"});
  TestEdge poster(*dispatcher_, "poster");
  std::vector<EdgeInput> inputs;
  for (uint64_t i = 2; i <= 1800; ++i) {
    inputs.emplace_back(TestEdge::Post(1, "ann", i, "a", std::to_string(i)));
  }
  poster.DoJoin(1, "ann", "a");
  dispatcher_->Dispatch(poster.attachment(), std::move(inputs));
  EXPECT_EQ(WordOf(poster.stream().AwaitResult(1800)), "ok");

  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 1, {"ann"}));
  for (int i = 1801; i <= 1900; ++i) {
    poster.Send(TestEdge::Post(1, "ann", static_cast<uint64_t>(i), "a", std::to_string(i)));
  }

  ASSERT_TRUE(edge.stream().AwaitLine("event 1900 1900"));
  EXPECT_EQ(edge.stream().lines(), Events(2, 1900));
}

TEST_F(AttachTest, PausesWhileTheStreamIsCongested) {
  MakeRoom("a", {"ann"});
  Post("a", 2, 10);
  auto stream = std::make_shared<RecordingEdgeStream>();
  stream->SetQueuedBytes(RoomAudience::kCongestedBytes + 1);
  EdgeAnnouncement hello;
  hello.edge_id = "e1";
  hello.rooms = Announce("a", 3, {"ann"});
  auto attached = dispatcher_->Attach(std::move(hello), stream);
  ASSERT_TRUE(attached.ok());
  Post("a", 11, 12);
  EXPECT_EQ(stream->size(), 0u);

  stream->SetQueuedBytes(0);

  ASSERT_TRUE(stream->AwaitLine("event 12 12"));
  EXPECT_EQ(stream->lines(), Events(4, 12));
  dispatcher_->Detach(*attached);
}

TEST_F(AttachTest, TriesAgainUntilTheStoreAnswers) {
  MakeRoom("a", {"ann"});
  Post("a", 2, 10);
  Restart();
  store_->Fail(StoreCall::kReadRoom, absl::UnavailableError("away"), 1, 3);
  store_->Fail(StoreCall::kReadEvents, absl::UnavailableError("away"), 1, 3);

  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 3, {"ann"}));

  ASSERT_TRUE(edge.stream().AwaitLine("event 10 10"));
  EXPECT_EQ(edge.stream().lines(), Events(4, 10));
}

TEST_F(AttachTest, EndsAFormerMembersSubscriptionAtTheRemoval) {
  MakeRoom("a", {"ann", "bob"});
  Post("a", 3, 4);
  EXPECT_TRUE(Remove("a", {"bob"}).ok());
  Post("a", 6, 7);
  Restart();

  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 3, {"ann", "bob"}));

  ASSERT_TRUE(edge.stream().AwaitLine("event 7 7"));
  EXPECT_EQ(edge.stream().lines(),
            (Lines{"event 4 4", "member_removed 5 bob", "unsubscribe room:a user bob 5",
                   "event 6 6", "event 7 7"}));
}

TEST_F(AttachTest, EndsASubscriptionWhoseEndTheEdgeHasMissed) {
  MakeRoom("a", {"ann", "bob"});
  EXPECT_TRUE(Remove("a", {"bob"}).ok());
  Post("a", 4, 5);
  Restart();

  // The stream broke between the event and its Unsubscribe; eve never was a member.
  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 3, {"ann", "bob", "eve"}));

  ASSERT_TRUE(edge.stream().AwaitLine("event 5 5"));
  EXPECT_EQ(edge.stream().lines(),
            (Lines{"unsubscribe room:a user bob 3", "unsubscribe room:a user eve 0", "event 4 4",
                   "event 5 5"}));
}

TEST_F(AttachTest, GivesNothingToWhoWasRemovedAndCameBackMeanwhile) {
  MakeRoom("a", {"ann", "bob", "cid"});
  EXPECT_TRUE(Remove("a", {"bob"}).ok());  // 4: the edge has it, but not its Unsubscribe.
  Post("a", 5, 5);                         // Not bob's.
  EXPECT_TRUE(Add("a", {"bob"}).ok());     // 6
  EXPECT_TRUE(Remove("a", {"cid"}).ok());  // 7
  EXPECT_TRUE(Add("a", {"cid"}).ok());     // 8
  Restart();

  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 4, {"ann", "bob", "cid"}));

  ASSERT_TRUE(edge.stream().AwaitLine("member_added 8 cid"));
  EXPECT_EQ(edge.stream().lines(),
            (Lines{"unsubscribe room:a user bob 0", "event 5 5", "member_added 6 bob",
                   "member_removed 7 cid", "unsubscribe room:a user cid 7", "member_added 8 cid"}));
}

TEST_F(AttachTest, KeepsWhoOnlyGotAnotherRole) {
  MakeRoom("a", {"ann", "bob"});
  EXPECT_TRUE(Add("a", {"bob"}, Role::kModerator).ok());
  Restart();

  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 2, {"ann", "bob"}));

  ASSERT_TRUE(edge.stream().AwaitLine("member_role 3 bob"));
  Post("a", 4, 4);
  ASSERT_TRUE(edge.stream().AwaitLine("event 4 4"));
  EXPECT_EQ(edge.stream().size(), 2u);
}

TEST_F(AttachTest, EndsEverySubscriptionOfARoomThatIsGone) {
  MakeRoom("a", {"ann"});
  EXPECT_TRUE(DeleteRoom("a").ok());
  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 1, {"ann"}));
  EXPECT_TRUE(edge.stream().AwaitLine("unsubscribe room:a everybody 0"));
}

TEST_F(AttachTest, EndsEverySubscriptionOfARoomThatWasMadeAnew) {
  MakeRoom("a", {"ann"});
  Post("a", 2, 5);
  EXPECT_TRUE(DeleteRoom("a").ok());
  MakeRoom("a", {"ann"});  // 6
  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 3, {"ann"}));
  EXPECT_TRUE(edge.stream().AwaitLine("unsubscribe room:a everybody 0"));
  EXPECT_THAT(edge.stream().lines(), Not(Contains("member_added 6 ann")));
}

TEST_F(AttachTest, DoesNotBelieveAPositionThatTheLogDoesNotHave) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 9, {"ann"}));
  EXPECT_TRUE(edge.stream().AwaitLine("unsubscribe room:a everybody 0"));
}

TEST_F(AttachTest, LetsAJoinWaitUntilTheEdgeHasCaughtUp) {
  MakeRoom("a", {"ann", "bob"});
  Post("a", 3, 10);
  Restart();
  TestEdge other(*dispatcher_, "e2");
  other.DoJoin(9, "ann", "a");
  store_->Block(StoreCall::kReadEvents);
  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 4, {"ann"}));
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kReadEvents));
  edge.Send(TestEdge::Join(2, "bob", 50, "a"), TestEdge::Post(2, "bob", 51, "a", "11"));
  EXPECT_EQ(other.DoPost(9, "ann", "a", "11").post_message().seq(), 11);  // Nobody else waits.

  store_->Unblock(StoreCall::kReadEvents);

  EXPECT_EQ(WordOf(edge.stream().AwaitResult(51)), "ok");
  Lines expected = Events(5, 11);
  expected.insert(expected.end(),
                  {"subscribe 2 room:a 11", "result 50 ok", "event 12 11", "result 51 ok"});
  EXPECT_EQ(edge.stream().lines(), expected);
}

TEST_F(AttachTest, ServesManyUsersOfOneRoom) {
  Users users;
  for (int i = 0; i < 1000; ++i) users.push_back("u" + std::to_string(i));
  MakeRoom("a", users);
  EXPECT_TRUE(Remove("a", {"u3", "u999"}).ok());  // 1001, 1002
  Restart();

  TestEdge edge(*dispatcher_, "e1", 1, Announce("a", 1002, users));
  TestEdge late(*dispatcher_, "e2", 1, Announce("a", 1000, users));
  EXPECT_EQ(PostAsSystem("a", "1003")->seq, 1003);

  ASSERT_TRUE(edge.stream().AwaitLine("event 1003 1003"));
  EXPECT_EQ(edge.stream().lines(), (Lines{"unsubscribe room:a user u3 1001",
                                          "unsubscribe room:a user u999 1002", "event 1003 1003"}));
  ASSERT_TRUE(late.stream().AwaitLine("event 1003 1003"));
  EXPECT_EQ(late.stream().size(), 5u);
}

TEST_F(AttachTest, SendsNothingToAnEdgeThatHasGone) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  edge.Detach();
  TestEdge again(*dispatcher_, "e1", 1, Announce("a", 1, {"ann"}));
  Post("a", 2, 3);
  ASSERT_TRUE(again.stream().AwaitLine("event 3 3"));
  EXPECT_EQ(edge.stream().size(), 2u);
}

}  // namespace
}  // namespace confab::control
