// What the dispatcher makes of a store that fails, answers late or not at all, or is written to
// by others.
#include <algorithm>
#include <thread>

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

class StoreTroubleTest : public ControlBench {
 protected:
  // The lane has taken everything that was sent before.
  void AwaitLane(const std::string& room) { EXPECT_TRUE(List(room, -1, -1, 1).ok()); }

  // Ann's message "one" to room a, request 10, is with the store, which does not answer: what is
  // sent now waits for the next batch. Ends with store_->Unblock(StoreCall::kAppend).
  [[nodiscard]] bool KeepWriterBusy(TestEdge& edge) {
    store_->Block(StoreCall::kAppend);
    edge.Send(TestEdge::Post(1, "ann", 10, "a", "one"));
    return store_->WaitUntilBlocked(StoreCall::kAppend);
  }

  static Lines EventsOf(const Lines& lines) {
    Lines events;
    for (const std::string& line : lines) {
      if (line.starts_with("event") || line.starts_with("member")) events.push_back(line);
    }
    return events;
  }
};

TEST_F(StoreTroubleTest, DoublesNothingWhenTheAnswerToACommitIsLost) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  const size_t before = edge.stream().size();
  ASSERT_TRUE(KeepWriterBusy(edge));
  edge.Send(TestEdge::Post(1, "ann", 11, "a", "two"), TestEdge::Post(1, "ann", 12, "a", "three"));
  AwaitLane("a");
  store_->LoseAnswer(StoreCall::kAppend, 1);  // Of the batch with two and three.
  store_->Fail(StoreCall::kOpenWriter, absl::UnavailableError("away"), 1, 2);

  store_->Unblock(StoreCall::kAppend);

  EXPECT_EQ(edge.stream().AwaitResult(12).post_message().seq(), 4);
  EXPECT_TRUE(PostAsSystem("a", "four").ok());
  ASSERT_TRUE(edge.stream().AwaitLine("event 5 four"));
  EXPECT_EQ(EventsOf(edge.stream().LinesFrom(before)),
            (Lines{"event 2 one", "event 3 two", "event 4 three", "event 5 four"}));
  Lines results;
  for (const std::string& line : edge.stream().LinesFrom(before)) {
    if (line.starts_with("result")) results.push_back(line);
  }
  EXPECT_EQ(results, (Lines{"result 10 ok", "result 11 ok", "result 12 ok"}));
  EXPECT_EQ(List("a")->events.size(), 5u);
}

TEST_F(StoreTroubleTest, PublishesWhatALostCommitHasStoredThoughNobodyKnowsIt) {
  MakeRoom("a", {"ann"});
  Restart(absl::Seconds(1));
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  EXPECT_EQ(edge.DoPost(1, "ann", "a", "opens the writer").post_message().seq(), 2);
  store_->LoseAnswer(StoreCall::kAppend, 1);
  store_->Fail(StoreCall::kOpenWriter, absl::UnavailableError("away"), 1, 1000);

  edge.Send(TestEdge::Post(1, "ann", 10, "a", "keyless"),
            TestEdge::Post(1, "ann", 11, "a", "keyed", "m1"));

  EXPECT_EQ(WordOf(edge.stream().AwaitResult(10)), "OUTCOME_UNKNOWN");
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(11)), "UNAVAILABLE");
  EXPECT_TRUE(edge.stream().AwaitLine("event 3 keyless"));
  EXPECT_TRUE(edge.stream().AwaitLine("event 4 keyed"));
  store_->Heal();
  const v1::Result retried = edge.PostUntilTaken(1, "ann", "a", "keyed", "m1");
  EXPECT_EQ(retried.post_message().seq(), 4);
  EXPECT_EQ(edge.DoPost(1, "ann", "a", "next").post_message().seq(), 5);
  EXPECT_EQ(EventsOf(edge.stream().lines()), (Lines{"event 2 opens the writer", "event 3 keyless",
                                                    "event 4 keyed", "event 5 next"}));
}

TEST_F(StoreTroubleTest, DecidesAnewWhenAMembershipWriteHasAnUnknownOutcome) {
  MakeRoom("a", {"ann", "bob"});
  Restart(absl::Seconds(1));
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  edge.DoJoin(2, "bob", "a");
  EXPECT_TRUE(PostAsSystem("a", "opens the writer").ok());
  store_->LoseAnswer(StoreCall::kAppend, 1);
  store_->Fail(StoreCall::kOpenWriter, absl::UnavailableError("away"), 1, 1000);

  EXPECT_EQ(ReasonOf(Remove("a", {"bob"}).status()), v1::REASON_OUTCOME_UNKNOWN);
  store_->Heal();

  EXPECT_EQ(WordOf(edge.DoPost(2, "bob", "a", "in?")), "NOT_A_MEMBER");
  EXPECT_TRUE(edge.stream().AwaitLine("unsubscribe room:a user bob 4"));
}

TEST_F(StoreTroubleTest, OutlastsAShortOutage) {
  MakeRoom("a", {"ann"});
  Restart();
  TestEdge edge(*dispatcher_, "e1");
  store_->Fail(StoreCall::kReadRoom, absl::UnavailableError("away"), 1, 3);
  store_->Fail(StoreCall::kOpenWriter, absl::UnavailableError("away"), 1, 2);
  store_->Fail(StoreCall::kAppend, absl::DeadlineExceededError("slow"), 1, 2);

  EXPECT_EQ(edge.DoPost(1, "ann", "a", "hi").post_message().seq(), 2);
}

TEST_F(StoreTroubleTest, RefusesAtTheDeadlineDuringALongOutage) {
  MakeRoom("a", {"ann"});
  MakeRoom("b", {"ann"});
  Restart(absl::Milliseconds(500));
  TestEdge edge(*dispatcher_, "e1");
  EXPECT_EQ(WordOf(edge.DoJoin(1, "ann", "a")), "ok");
  store_->FailAlways(StoreCall::kReadRoom, absl::UnavailableError("away"));
  store_->FailAlways(StoreCall::kReadEvents, absl::UnavailableError("away"));
  store_->FailAlways(StoreCall::kAppend, absl::UnavailableError("away"));

  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", "hi")), "UNAVAILABLE");
  EXPECT_EQ(WordOf(edge.DoJoin(1, "ann", "b")), "UNAVAILABLE");
  EXPECT_EQ(WordOf(edge.Do(TestEdge::History(1, "ann", 5, "a"))), "UNAVAILABLE");
  EXPECT_EQ(WordOf(edge.DoJoin(2, "ann", "a")), "ok");  // What the cache knows is served.
  store_->Heal();
  EXPECT_EQ(edge.PostUntilTaken(1, "ann", "a", "hi").post_message().seq(), 2);
  EXPECT_EQ(WordOf(edge.DoJoin(1, "ann", "b")), "ok");
}

TEST_F(StoreTroubleTest, RefusesOnlyTheCulpritOfABatch) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  ASSERT_TRUE(KeepWriterBusy(edge));
  EdgeCommand culprit = TestEdge::Post(1, "ann", 12, "a", "culprit");
  auto actor = std::make_shared<storage::Actor>(*culprit.actor);
  actor->name = std::string("a\0b", 3);
  culprit.actor = std::move(actor);
  edge.Send(TestEdge::Post(1, "ann", 11, "a", "two"), std::move(culprit),
            TestEdge::Post(1, "ann", 13, "a", "three"));
  AwaitLane("a");

  store_->Unblock(StoreCall::kAppend);

  EXPECT_EQ(edge.stream().AwaitResult(11).post_message().seq(), 3);
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(12)), "BAD_REQUEST");
  EXPECT_EQ(edge.stream().AwaitResult(13).post_message().seq(), 4);
}

TEST_F(StoreTroubleTest, SeesABanByAnotherWriterInTheSameTransaction) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  edge.DoJoin(2, "bob", "a");
  const size_t before = edge.stream().size();
  RemoveDirectly("a", "bob");

  EXPECT_EQ(WordOf(edge.DoPost(2, "bob", "a", "am I in?")), "NOT_A_MEMBER");
  EXPECT_EQ(edge.DoPost(1, "ann", "a", "he is gone").post_message().seq(), 4);

  EXPECT_EQ(EventsOf(edge.stream().LinesFrom(before)),
            (Lines{"member_removed 3 bob", "event 4 he is gone"}));
  const Lines lines = edge.stream().LinesFrom(before);
  const auto unsubscribed = std::find(lines.begin(), lines.end(), "unsubscribe room:a user bob 3");
  const auto later = std::find(lines.begin(), lines.end(), "event 4 he is gone");
  EXPECT_LT(unsubscribed, later);
}

TEST_F(StoreTroubleTest, KeepsTheOrderOfMessagesThatAreDecidedAgain) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  ASSERT_TRUE(KeepWriterBusy(edge));
  edge.Send(TestEdge::Post(1, "ann", 11, "a", "two"), TestEdge::Post(1, "ann", 12, "a", "three"));
  AwaitLane("a");
  // All were decided on a list that is another one before the second batch is written.
  std::thread writer([this] { AddDirectly("a", "bob"); });
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kAppend, 2));
  store_->Unblock(StoreCall::kAppend);
  writer.join();
  edge.Send(TestEdge::Post(1, "ann", 13, "a", "four"));

  EXPECT_EQ(WordOf(edge.stream().AwaitResult(13)), "ok");
  Lines posts;
  for (const std::string& line : EventsOf(edge.stream().lines())) {
    if (line.starts_with("event")) posts.push_back(line.substr(line.rfind(' ') + 1));
  }
  EXPECT_EQ(posts, (Lines{"one", "two", "three", "four"}));
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(11)), "ok");
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(12)), "ok");
}

TEST_F(StoreTroubleTest, LetsTheSystemPostAfterAnotherWriterChangedTheMembers) {
  MakeRoom("a", {"ann"});
  EXPECT_TRUE(PostAsSystem("a", "one").ok());
  AddDirectly("a", "bob");
  EXPECT_EQ(PostAsSystem("a", "two")->seq, 4);
}

TEST_F(StoreTroubleTest, AsksAgainWhenAPageShowsALaterMemberList) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  EXPECT_EQ(WordOf(edge.Do(TestEdge::History(2, "bob", 5, "a"))), "ok");
  RemoveDirectly("a", "bob");

  EXPECT_EQ(WordOf(edge.Do(TestEdge::History(2, "bob", 6, "a"))), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(edge.Do(TestEdge::History(1, "ann", 7, "a"))), "ok");
}

TEST_F(StoreTroubleTest, SubscribesAsOfTheMemberListItWasDecidedOn) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  AddDirectly("a", "bob");
  RemoveDirectly("a", "bob");
  AddDirectly("a", "bob");

  // Loading bob shows a list that is ahead of what was published: that comes first.
  EXPECT_EQ(WordOf(edge.Do(TestEdge::Join(2, "bob", 50, "a"))), "ok");

  EXPECT_EQ(edge.stream().LinesFrom(2),
            (Lines{"member_added 2 bob", "member_removed 3 bob", "unsubscribe room:a user bob 3",
                   "member_added 4 bob", "subscribe 2 room:a 4", "result 50 ok"}));
}

TEST_F(StoreTroubleTest, AnswersALateCommandWithoutWritingIt) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  ASSERT_TRUE(KeepWriterBusy(edge));
  EdgeCommand hasty = TestEdge::Post(1, "ann", 11, "a", "late");
  hasty.command.set_deadline_ms(1);
  edge.Send(std::move(hasty));
  AwaitLane("a");
  const auto due = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
  while (std::chrono::steady_clock::now() < due) AwaitLane("a");

  store_->Unblock(StoreCall::kAppend);

  EXPECT_EQ(WordOf(edge.stream().AwaitResult(11)), "UNAVAILABLE");
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(10)), "ok");
  EXPECT_EQ(List("a")->events.size(), 2u);
}

TEST_F(StoreTroubleTest, HoldsAtMost256CommandsOfARoomThatIsBeingLoaded) {
  MakeRoom("a", {"ann"});
  Restart();
  TestEdge edge(*dispatcher_, "e1");
  store_->Block(StoreCall::kReadRoom);
  std::vector<EdgeInput> inputs;
  for (uint64_t i = 1; i <= 257; ++i) inputs.emplace_back(TestEdge::Join(i, "ann", i, "a"));
  dispatcher_->Dispatch(edge.attachment(), std::move(inputs));

  const v1::Result last = edge.stream().AwaitResult(257);
  EXPECT_EQ(WordOf(last), "UNAVAILABLE");
  EXPECT_GT(last.error().retry_after_ms(), 0u);
  store_->Unblock(StoreCall::kReadRoom);

  for (uint64_t i = 1; i <= 256; ++i) EXPECT_EQ(WordOf(edge.stream().AwaitResult(i)), "ok");
}

TEST_F(StoreTroubleTest, HasAtMost4096CommandsOfAnEdgeUnderWay) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  TestEdge other(*dispatcher_, "e2");
  edge.DoJoin(1, "ann", "a");
  store_->Block(StoreCall::kAppend);
  std::vector<EdgeInput> inputs;
  for (uint64_t i = 1; i <= 4097; ++i) inputs.emplace_back(TestEdge::Post(1, "ann", i, "a", "x"));
  dispatcher_->Dispatch(edge.attachment(), std::move(inputs));

  const v1::Result last = edge.stream().AwaitResult(4097);
  EXPECT_EQ(WordOf(last), "UNAVAILABLE");
  EXPECT_GT(last.error().retry_after_ms(), 0u);
  EXPECT_EQ(WordOf(other.DoJoin(1, "ann", "a")), "ok");
  store_->Unblock(StoreCall::kAppend);

  for (uint64_t i = 1; i <= 4096; ++i) EXPECT_EQ(WordOf(edge.stream().AwaitResult(i)), "ok") << i;
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", "room again")), "ok");
}

TEST_F(StoreTroubleTest, RefusesWhatTheFullCommitQueueDoesNotTake) {
  MakeRoom("a", {"ann"});
  std::vector<std::unique_ptr<TestEdge>> edges;
  for (int i = 0; i < 3; ++i) {
    edges.push_back(std::make_unique<TestEdge>(*dispatcher_, "e" + std::to_string(i)));
    EXPECT_EQ(WordOf(edges.back()->DoJoin(1, "ann", "a")), "ok");
  }
  store_->Block(StoreCall::kAppend);
  for (auto& edge : edges) {
    std::vector<EdgeInput> inputs;
    for (uint64_t i = 1; i <= 4096; ++i) {
      inputs.emplace_back(TestEdge::Post(1, "ann", i, "a", "x"));
    }
    dispatcher_->Dispatch(edge->attachment(), std::move(inputs));
  }
  EXPECT_EQ(WordOf(edges.back()->stream().AwaitResult(4096)), "UNAVAILABLE");
  store_->Unblock(StoreCall::kAppend);

  size_t stored = 0;
  for (auto& edge : edges) {
    for (uint64_t i = 1; i <= 4096; ++i) {
      if (WordOf(edge->stream().AwaitResult(i)) == "ok") ++stored;
    }
  }
  EXPECT_GE(stored, CommitQueue::kJobsLimit);
  EXPECT_LT(stored, 3 * 4096u);
  EXPECT_EQ(List("a", -1, -1, 1)->last_seq, static_cast<int64_t>(stored) + 1);
}

TEST_F(StoreTroubleTest, AnswersEverythingWhenItStops) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  store_->FailAlways(StoreCall::kAppend, absl::UnavailableError("away"));
  store_->FailAlways(StoreCall::kReadRoom, absl::UnavailableError("away"));
  edge.Send(TestEdge::Post(1, "ann", 10, "a", "waits for the commit"));
  edge.Send(TestEdge::Join(2, "bob", 11, "a"));
  Awaited<MembersChanged> waiting;
  dispatcher_->RemoveMembers(RoomId("a"), {}, {UserId("ann")}, Soon(), waiting.callback());

  dispatcher_->Stop();

  EXPECT_EQ(ReasonOf(waiting.Get().status()), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(10)), "UNAVAILABLE");
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(11)), "UNAVAILABLE");
  EXPECT_TRUE(edge.stream().closed().has_value());
  EXPECT_THAT(edge.stream().lines(), Not(Contains(testing::HasSubstr("everybody"))));
  Awaited<MembersChanged> afterwards;
  dispatcher_->RemoveMembers(RoomId("a"), {}, {UserId("ann")}, Soon(), afterwards.callback());
  EXPECT_EQ(ReasonOf(afterwards.Get().status()), v1::REASON_UNAVAILABLE);
}

TEST_F(StoreTroubleTest, SaysOnceThatTheLockIsLost) {
  MakeRoom("a", {"ann"});
  store_->FailAlways(StoreCall::kAppend, absl::FailedPreconditionError("not active"));
  EXPECT_EQ(ReasonOf(PostAsSystem("a", "one").status()), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(PostAsSystem("a", "two").status()), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(fatals_, 1);
}

}  // namespace
}  // namespace confab::control
