// What one command does, and who is told in which order.
#include "control/dispatch/dispatcher.h"

#include <gmock/gmock.h>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::Role;
using storage::RoomId;
using storage::StoreCall;
using storage::UserId;
using testing::ElementsAre;

class DispatcherTest : public ControlBench {};

TEST_F(DispatcherTest, RefusesEverythingBeforeItServes) {
  Dispatcher standby({}, metrics_, nullptr);
  Awaited<MembersChanged> answer;
  standby.RemoveMembers(RoomId("a"), {}, {UserId("x")}, Soon(), answer.callback());
  EXPECT_EQ(ReasonOf(answer.Get().status()), v1::REASON_UNAVAILABLE);
  EXPECT_FALSE(standby.Attach({}, std::make_shared<RecordingEdgeStream>()).ok());
}

TEST_F(DispatcherTest, SubscribesThenAnswersAJoin) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");

  const v1::Result result = edge.Do(TestEdge::Join(7, "ann", 1, "a"));

  ASSERT_EQ(WordOf(result), "ok");
  EXPECT_EQ(result.join_room().role(), v1::ROLE_MEMBER);
  EXPECT_EQ(result.join_room().last_seq(), 1);
  EXPECT_THAT(edge.stream().lines(), ElementsAre("subscribe 7 room:a 1", "result 1 ok"));
}

TEST_F(DispatcherTest, BroadcastsBeforeItAnswersTheSender) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge first(*dispatcher_, "e1");
  TestEdge second(*dispatcher_, "e2");
  first.DoJoin(1, "ann", "a");
  second.DoJoin(2, "bob", "a");
  const size_t before = first.stream().size();

  const v1::Result result = first.Do(TestEdge::Post(1, "ann", 9, "a", "hi", "m1"));

  ASSERT_EQ(WordOf(result), "ok");
  EXPECT_EQ(result.post_message().seq(), 3);
  EXPECT_EQ(result.post_message().message_id().size(), 36u);
  EXPECT_THAT(first.stream().LinesFrom(before), ElementsAre("event 3 hi", "result 9 ok"));
  ASSERT_TRUE(second.stream().AwaitLine("event 3 hi"));
  const v1::Broadcast broadcast = second.stream().items().back().broadcast();
  EXPECT_EQ(broadcast.topics(0), "room:a");
  EXPECT_EQ(broadcast.event().event().actor().name(), "ann!");
  EXPECT_EQ(broadcast.event().event().message_posted().client_msg_id(), "m1");
  EXPECT_EQ(broadcast.event().event().message_posted().type(), "text");
  EXPECT_EQ(broadcast.event().event().message_posted().message_id(),
            result.post_message().message_id());
  EXPECT_EQ(broadcast.event().event().created_at().nanos(),
            result.post_message().created_at().nanos());
}

TEST_F(DispatcherTest, AnswersARetryWithTheFirstResult) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");

  const v1::Result first = edge.DoPost(1, "ann", "a", "hi", "m1");
  const v1::Result again = edge.DoPost(1, "ann", "a", "hi", "m1");

  EXPECT_EQ(again.post_message().message_id(), first.post_message().message_id());
  EXPECT_EQ(again.post_message().seq(), first.post_message().seq());
  EXPECT_EQ(again.post_message().created_at().nanos(), first.post_message().created_at().nanos());
  EXPECT_EQ(List("a")->events.size(), 2u);
}

TEST_F(DispatcherTest, RecognisesARequestThatAnEdgeSendsAgain) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1", 5);
  const v1::Result first = edge.Do(TestEdge::Post(1, "ann", 9, "a", "hi"));
  edge.Detach();
  TestEdge again(*dispatcher_, "e1", 5);

  const v1::Result second = again.Do(TestEdge::Post(1, "ann", 9, "a", "hi"));

  EXPECT_EQ(second.post_message().message_id(), first.post_message().message_id());
  EXPECT_EQ(List("a")->events.size(), 2u);
}

TEST_F(DispatcherTest, LetsNobodyIn) {
  MakeRoom("a", {"ann"});
  ASSERT_TRUE(Add("a", {"rea"}, Role::kReader).ok());
  TestEdge edge(*dispatcher_, "e1");

  EXPECT_EQ(WordOf(edge.DoJoin(1, "eve", "a")), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(edge.DoPost(1, "eve", "a", "hi")), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(edge.Do(TestEdge::History(1, "eve", 3, "a"))), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(edge.Do(TestEdge::Replay(1, "eve", 4, "a", 0))), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(edge.Do(TestEdge::Leave(1, "eve", 5, "a"))), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(edge.DoPost(1, "rea", "a", "hi")), "FORBIDDEN");
  EXPECT_EQ(WordOf(edge.DoJoin(1, "rea", "a")), "ok");
  EXPECT_EQ(WordOf(edge.DoJoin(1, "", "a")), "BAD_REQUEST");
  EXPECT_EQ(WordOf(edge.DoPost(1, "", "a", "as the system?")), "BAD_REQUEST");
}

TEST_F(DispatcherTest, AnswersBadInputAndNothingElse) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  const std::string big(16 * 1024 + 1, 'x');

  EXPECT_EQ(WordOf(edge.DoJoin(1, "ann", "nowhere")), "ROOM_NOT_FOUND");
  EXPECT_EQ(WordOf(edge.DoJoin(1, "ann", "")), "BAD_REQUEST");
  EXPECT_EQ(WordOf(edge.DoJoin(1, "ann", std::string(129, 'r'))), "BAD_REQUEST");
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", "")), "CONTENT_SIZE");
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", big)), "CONTENT_SIZE");
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", std::string("a\0b", 3))), "BAD_REQUEST");
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", "hi", std::string(129, 'k'))), "BAD_REQUEST");
  EXPECT_EQ(WordOf(edge.Do(TestEdge::Ask(1, "ann", 77))), "UNKNOWN_COMMAND");
  EXPECT_EQ(WordOf(edge.DoJoin(1, "ann", "a", 2)), "RESYNC");
  EXPECT_EQ(List("a")->events.size(), 1u);
}

TEST_F(DispatcherTest, AnswersAHeartbeatWithoutARoom) {
  TestEdge edge(*dispatcher_, "e");
  EdgeCommand beat = TestEdge::Ask(1, "ann", 78);
  beat.command.mutable_heartbeat();

  const v1::Result result = edge.Do(std::move(beat));

  EXPECT_TRUE(result.has_heartbeat()) << result.ShortDebugString();
}

TEST_F(DispatcherTest, KeepsTheOrderOfOneSender) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  std::vector<EdgeInput> inputs;
  inputs.emplace_back(TestEdge::Join(1, "ann", 1, "a"));
  Lines expected;
  for (uint64_t i = 2; i < 100; ++i) {
    inputs.emplace_back(TestEdge::Post(1, "ann", i, "a", std::to_string(i)));
    expected.push_back("event " + std::to_string(i) + " " + std::to_string(i));
  }

  dispatcher_->Dispatch(edge.attachment(), std::move(inputs));

  EXPECT_EQ(WordOf(edge.stream().AwaitResult(99)), "ok");
  Lines seen;
  for (const std::string& line : edge.stream().lines()) {
    if (line.starts_with("event")) seen.push_back(line);
  }
  EXPECT_EQ(seen, expected);
}

TEST_F(DispatcherTest, MakesWhoJoinsAPublicRoomAMember) {
  MakeRoom("pub", {"ann"}, true);
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "pub");

  const v1::Result result = edge.Do(TestEdge::Join(2, "bob", 5, "pub"));

  EXPECT_EQ(WordOf(result), "ok");
  EXPECT_EQ(result.join_room().last_seq(), 2);
  EXPECT_EQ(edge.stream().LinesFrom(2),
            (Lines{"member_added 2 bob", "subscribe 2 room:pub 2", "result 5 ok"}));
  EXPECT_EQ(WordOf(edge.DoJoin(3, "bob", "pub")), "ok");
  EXPECT_EQ(List("pub")->events.size(), 2u);
}

TEST_F(DispatcherTest, EndsOneConnectionsSubscriptionOnLeave) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");

  edge.Do(TestEdge::Leave(1, "ann", 5, "a"));

  EXPECT_EQ(edge.stream().LinesFrom(2),
            (Lines{"unsubscribe room:a connection 1 1", "result 5 ok"}));
}

TEST_F(DispatcherTest, TellsARemovedMemberAndNothingAfterwards) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  edge.DoJoin(2, "bob", "a");
  const size_t before = edge.stream().size();

  const auto removed = Remove("a", {"bob", "eve"});

  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(removed->changed, 1);
  EXPECT_EQ(removed->last_seq, 3);
  EXPECT_EQ(edge.stream().LinesFrom(before),
            (Lines{"member_removed 3 bob", "unsubscribe room:a user bob 3"}));
  EXPECT_EQ(WordOf(edge.DoPost(2, "bob", "a", "still here?")), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(edge.DoJoin(2, "bob", "a")), "NOT_A_MEMBER");
}

TEST_F(DispatcherTest, DecidesNothingWhileAMembershipWriteIsUnderWay) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  edge.DoJoin(2, "bob", "a");
  store_->Block(StoreCall::kAppend);
  Awaited<MembersChanged> removed;
  dispatcher_->RemoveMembers(RoomId("a"), {}, {UserId("bob")}, Soon(), removed.callback());
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kAppend));
  edge.Send(TestEdge::Post(2, "bob", 50, "a", "too late"), TestEdge::Join(2, "bob", 51, "a"),
            TestEdge::Post(1, "ann", 52, "a", "after"));

  store_->Unblock(StoreCall::kAppend);

  EXPECT_EQ(WordOf(edge.stream().AwaitResult(50)), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(51)), "NOT_A_MEMBER");
  EXPECT_EQ(edge.stream().AwaitResult(52).post_message().seq(), 4);
  EXPECT_TRUE(removed.Get().ok());
}

TEST_F(DispatcherTest, ChangesRoles) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  Awaited<storage::MemberRecord> reader;
  Awaited<storage::MemberRecord> same;
  Awaited<storage::MemberRecord> nobody;
  const auto set = [&](const char* user, Awaited<storage::MemberRecord>& answer) {
    dispatcher_->ChangeMember(RoomId("a"), {},
                              {PersonChange::Kind::kRole, UserId(user), Role::kReader}, Soon(),
                              answer.callback());
  };
  set("ann", reader);
  set("ann", same);
  set("eve", nobody);

  const auto changed = reader.Get();
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->changed_seq, 2);
  const auto unchanged = same.Get();
  ASSERT_TRUE(unchanged.ok()) << unchanged.status();
  EXPECT_EQ(unchanged->changed_at, changed->changed_at);
  EXPECT_EQ(ReasonOf(nobody.Get().status()), v1::REASON_MEMBER_NOT_FOUND);
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", "hi")), "FORBIDDEN");
  EXPECT_EQ(List("a")->events.size(), 2u);
}

TEST_F(DispatcherTest, PostsAsTheSystemOnceForEachKey) {
  MakeRoom("a", {"ann"});
  const auto first = PostAsSystem("a", "maintenance", "k1");
  const auto again = PostAsSystem("a", "maintenance", "k1");
  const auto other = PostAsSystem("a", "maintenance");

  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(again->message_id, first->message_id);
  EXPECT_NE(other->message_id, first->message_id);
  const auto page = List("a");
  ASSERT_EQ(page->events.size(), 3u);
  EXPECT_EQ(page->events[1].event.type, "system");
  EXPECT_TRUE(page->events[1].event.actor.id.empty());
}

TEST_F(DispatcherTest, PostsAsAUserWhoMayPost) {
  MakeRoom("a", {"ann"});
  const auto post_as = [&](const std::string& user) {
    ServicePost post;
    post.room = RoomId("a");
    post.service = "test";
    post.sender = storage::Actor{UserId(user), user, ""};
    post.content = "hi";
    Awaited<PostedMessage> answer;
    dispatcher_->PostAsService(std::move(post), Soon(), answer.callback());
    return answer.Get();
  };
  EXPECT_EQ(post_as("ann")->seq, 2);
  EXPECT_EQ(ReasonOf(post_as("eve").status()), v1::REASON_NOT_A_MEMBER);
  EXPECT_EQ(ReasonOf(post_as("").status()), v1::REASON_BAD_REQUEST);
}

TEST_F(DispatcherTest, ReadsPagesInBothDirections) {
  MakeRoom("a", {"ann"});
  for (int i = 2; i <= 10; ++i) EXPECT_TRUE(PostAsSystem("a", std::to_string(i)).ok());
  TestEdge edge(*dispatcher_, "e1");

  const auto newest = List("a", -1, -1, 3);
  EXPECT_EQ(newest->events.front().seq, 8);
  EXPECT_TRUE(newest->more);
  const auto before = List("a", -1, 8, 3);
  EXPECT_EQ(before->events.front().seq, 5);
  const auto after = List("a", 7, -1, 100);
  EXPECT_EQ(after->events.front().seq, 8);
  EXPECT_EQ(after->events.back().seq, 10);
  EXPECT_FALSE(after->more);
  EXPECT_EQ(after->last_seq, 10);
  EXPECT_EQ(ReasonOf(List("nowhere").status()), v1::REASON_ROOM_NOT_FOUND);
  const v1::Result history = edge.Do(TestEdge::History(1, "ann", 5, "a"));
  EXPECT_EQ(history.history().events_size(), 10);
  EXPECT_EQ(history.history().last_seq(), 10);
}

TEST_F(DispatcherTest, ReplaysForAFormerMemberUpToTheRemoval) {
  MakeRoom("a", {"ann", "bob"});
  EXPECT_TRUE(PostAsSystem("a", "three").ok());
  EXPECT_TRUE(Remove("a", {"bob"}).ok());
  EXPECT_TRUE(PostAsSystem("a", "five").ok());
  TestEdge edge(*dispatcher_, "e1");

  const v1::Result page = edge.Do(TestEdge::Replay(2, "bob", 5, "a", 1));

  ASSERT_EQ(page.history().events_size(), 3);
  EXPECT_EQ(page.history().events(2).seq(), 4);
  EXPECT_FALSE(page.history().more());
  EXPECT_EQ(WordOf(edge.Do(TestEdge::Replay(2, "bob", 6, "a", 4))), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(edge.Do(TestEdge::History(2, "bob", 7, "a"))), "NOT_A_MEMBER");
}

TEST_F(DispatcherTest, ForgetsAnEdgeThatReleasedTheRoom) {
  MakeRoom("a", {"ann"});
  MakeRoom("b", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  TestEdge other(*dispatcher_, "e2");
  edge.DoJoin(1, "ann", "a");
  edge.DoJoin(1, "ann", "b");
  other.DoJoin(2, "ann", "a");

  edge.Release("a", 2);
  EXPECT_TRUE(PostAsSystem("a", "hi").ok());
  EXPECT_TRUE(PostAsSystem("b", "ho").ok());

  EXPECT_TRUE(other.stream().AwaitLine("event 2 hi"));
  EXPECT_TRUE(edge.stream().AwaitLine("event 2 ho"));
  EXPECT_THAT(edge.stream().lines(), testing::Not(testing::Contains("event 2 hi")));
}

TEST_F(DispatcherTest, IgnoresAReleaseThatALaterSubscribeOvertook) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  edge.DoJoin(2, "ann", "a");

  edge.Release("a", 1);  // The second Subscribe was still under way.
  EXPECT_TRUE(PostAsSystem("a", "hi").ok());

  EXPECT_TRUE(edge.stream().AwaitLine("event 2 hi"));
}

TEST_F(DispatcherTest, CountsSubscribesOverTheWholeStream) {
  MakeRoom("a", {"ann"});
  MakeRoom("b", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  edge.Release("a", 1);
  edge.DoJoin(1, "ann", "b");
  edge.DoJoin(1, "ann", "a");

  edge.Release("a", 2);  // Void: the Subscribe of a that came third is under way.
  EXPECT_TRUE(PostAsSystem("a", "hi").ok());

  EXPECT_TRUE(edge.stream().AwaitLine("event 2 hi"));
}

TEST_F(DispatcherTest, DeletesARoomUnderItsSubscribers) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  const size_t before = edge.stream().size();

  EXPECT_TRUE(DeleteRoom("a").ok());

  EXPECT_EQ(edge.stream().LinesFrom(before), (Lines{"unsubscribe room:a everybody 1"}));
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", "hi")), "ROOM_NOT_FOUND");
  EXPECT_EQ(ReasonOf(DeleteRoom("a")), v1::REASON_ROOM_NOT_FOUND);
  MakeRoom("a", {"ann"});
  EXPECT_EQ(edge.DoJoin(1, "ann", "a").join_room().last_seq(), 2);
  EXPECT_EQ(edge.DoPost(1, "ann", "a", "anew").post_message().seq(), 3);
}

TEST_F(DispatcherTest, DeletesBehindThePostsThatWereQueuedBefore) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  store_->Block(StoreCall::kAppend);
  edge.Send(TestEdge::Post(1, "ann", 10, "a", "one"));
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kAppend));
  edge.Send(TestEdge::Post(1, "ann", 11, "a", "two"));
  EXPECT_TRUE(List("a").ok());  // Answered by the lane: the post is in the queue.
  Awaited<RoomDeleted> deleted;
  dispatcher_->DeleteRoom(RoomId("a"), {}, Soon(), deleted.callback());
  edge.Send(TestEdge::Post(1, "ann", 12, "a", "three"));

  store_->Unblock(StoreCall::kAppend);

  EXPECT_EQ(edge.stream().AwaitResult(10).post_message().seq(), 2);
  EXPECT_EQ(edge.stream().AwaitResult(11).post_message().seq(), 3);
  EXPECT_TRUE(deleted.Get().ok());
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(12)), "ROOM_NOT_FOUND");
  EXPECT_TRUE(edge.stream().AwaitLine("unsubscribe room:a everybody 3"));
}

TEST_F(DispatcherTest, RefusesToMakeARoomThatExists) {
  MakeRoom("a", {});
  Awaited<storage::RoomRecord> answer;
  storage::NewRoom room;
  room.id = RoomId("a");
  dispatcher_->CreateRoom(std::move(room), Soon(), answer.callback());
  EXPECT_EQ(ReasonOf(answer.Get().status()), v1::REASON_ROOM_EXISTS);
}

TEST_F(DispatcherTest, ListsRoomsAndMembers) {
  MakeRoom("a", {"ann", "bob"});
  MakeRoom("b", {"bob"});
  Awaited<std::vector<storage::RoomRecord>> rooms;
  Awaited<std::vector<storage::MemberRecord>> members;
  Awaited<RoomWithCount> room;
  dispatcher_->ListRooms(RoomId(""), UserId("ann"), 0, rooms.callback());
  dispatcher_->ListMembers(RoomId("a"), storage::MemberFilter::kMembers, {}, UserId(""), 0,
                           members.callback());
  dispatcher_->GetRoom(RoomId("a"), {}, room.callback());
  EXPECT_EQ(rooms.Get()->size(), 1u);
  EXPECT_EQ(members.Get()->size(), 2u);
  EXPECT_EQ(room.Get()->member_count, 2);
}

TEST_F(DispatcherTest, TakesAThousandMembersAtOnceAndNoMore) {
  MakeRoom("a", {});
  Users users;
  for (int i = 0; i < 1000; ++i) users.push_back("u" + std::to_string(i));
  EXPECT_EQ(Add("a", users)->changed, 1000);
  EXPECT_EQ(Add("a", users)->changed, 0);
  users.push_back("one more");
  EXPECT_EQ(ReasonOf(Add("a", users).status()), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonOf(Add("a", {"x", "x"}).status()), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonOf(Remove("a", {}).status()), v1::REASON_BAD_REQUEST);
}

TEST_F(DispatcherTest, ReplacesAnEdgeThatAttachesAgainAndRefusesItsPast) {
  TestEdge first(*dispatcher_, "e1", 5);
  TestEdge second(*dispatcher_, "e1", 6);
  EXPECT_TRUE(first.stream().closed().has_value());
  EXPECT_FALSE(second.stream().closed().has_value());
  EdgeAnnouncement past;
  past.edge_id = "e1";
  past.epoch = 5;
  EXPECT_FALSE(dispatcher_->Attach(past, std::make_shared<RecordingEdgeStream>()).ok());
}

}  // namespace
}  // namespace confab::control
