// What the dispatcher gives up, and in which order, when the store does not keep up.
#include <gmock/gmock.h>

#include "control/dispatch/notification_calls.h"
#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::StoreCall;
using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;

constexpr absl::Duration kAwayAfter = absl::Milliseconds(100);

class OverloadTest : public ControlBench {
 protected:
  OverloadTest() { OpenAnew(); }

  void OpenAnew(absl::Duration away_after = kAwayAfter) {
    dispatcher_.reset();
    store_.reset();
    DispatcherOptions options;
    options.lanes = 2;
    options.readers = 2;
    options.command_deadline = absl::Seconds(5);
    options.away_after = away_after;
    Open(options);
  }

  // Returns when a store that has failed since before is known to be away. Four times the time, as
  // its usual one counts too.
  void AwaitAway(const std::string& room) {
    const auto due = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(4 * kAwayAfter);
    while (std::chrono::steady_clock::now() < due) AwaitLane(room);
  }
  // The lane has taken everything that was sent before.
  void AwaitLane(const std::string& room) { EXPECT_TRUE(List(room, -1, -1, 1).ok()); }
  // A message of Ann's is with the store, which does not answer, for so long that it is away. Ends
  // with store_->Unblock(StoreCall::kAppend).
  void StallOnPost(TestEdge& edge, uint64_t request, const std::string& room) {
    store_->Block(StoreCall::kAppend);
    edge.Send(TestEdge::Post(1, "ann", request, room, "accepted"));
    ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kAppend));
    AwaitAway(room);
  }
  // Nothing can be written, nor a writer opened, and a message has failed for that.
  void Fail(TestEdge& edge, const std::string& room) {
    store_->FailAlways(StoreCall::kAppend, absl::UnavailableError("away"));
    store_->FailAlways(StoreCall::kOpenWriter, absl::UnavailableError("away"));
    EdgeCommand post = TestEdge::Post(1, "ann", 9, room, "too late");
    post.command.set_deadline_ms(50);
    EXPECT_EQ(WordOf(edge.Do(std::move(post))), "UNAVAILABLE");
    AwaitAway(room);
  }

  static EdgeCommand Typing(uint64_t connection, const std::string& user, uint64_t request,
                            const std::string& room) {
    EdgeCommand input = TestEdge::Ask(connection, user, request);
    input.command.mutable_set_typing()->set_room_id(room);
    input.command.mutable_set_typing()->set_is_typing(true);
    return input;
  }
  static EdgeCommand MarkRead(uint64_t connection, const std::string& user, uint64_t request,
                              const std::string& room, int64_t seq) {
    EdgeCommand input = TestEdge::Ask(connection, user, request);
    input.command.mutable_mark_read()->set_room_id(room);
    input.command.mutable_mark_read()->set_seq(seq);
    return input;
  }
  // Goes into the user's inbox.
  absl::Status Notify(const std::string& user) {
    v1::OutgoingNotification what;
    what.set_event("sale");
    what.set_json("{}");
    what.set_user_id(user);
    what.set_delivery_class(v1::DELIVERY_CLASS_LOGGED);
    Awaited<v1::NotificationOutcome> outcome;
    NotificationCalls(*dispatcher_).Notify(what, "shop", Soon(), outcome.callback());
    return outcome.Get().status();
  }
};

void ExpectRefusedEarly(const v1::Result& result) {
  EXPECT_EQ(WordOf(result), "UNAVAILABLE");
  EXPECT_THAT(result.error().retry_after_ms(), AllOf(Ge(100u), Le(5000u)));
}

TEST_F(OverloadTest, RefusesSendsAtOnceAndServesTheRestWhileTheStoreDoesNotAnswer) {
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  edge.DoJoin(2, "bob", "a");
  StallOnPost(edge, 10, "a");

  ExpectRefusedEarly(edge.DoPost(1, "ann", "a", "refused"));
  EXPECT_EQ(ReasonOf(PostAsSystem("a", "refused").status()), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(Notify("bob")), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(Add("a", {"eve"}).status()), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(WordOf(edge.DoJoin(3, "bob", "a")), "ok");
  EXPECT_EQ(WordOf(edge.Do(TestEdge::History(2, "bob", 20, "a"))), "ok");
  EXPECT_EQ(WordOf(edge.Do(Typing(2, "bob", 21, "a"))), "ok");
  edge.Send(MarkRead(2, "bob", 22, "a", 2));  // Waits: a pointer is no send.
  store_->Unblock(StoreCall::kAppend);

  EXPECT_EQ(edge.stream().AwaitResult(10).post_message().seq(), 3) << "what was accepted is done";
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(22)), "ok");
  EXPECT_EQ(edge.DoPost(1, "ann", "a", "again").post_message().seq(), 4);
  EXPECT_TRUE(Notify("bob").ok());
  EXPECT_TRUE(Add("a", {"eve"}).ok());
  EXPECT_THAT(metrics_.Render(), HasSubstr("confab_control_refused_early_total 4"));
}

TEST_F(OverloadTest, RefusesASendBeforeItWaitsForItsRoomToBeLoaded) {
  MakeRoom("a", {"ann"});
  MakeRoom("b", {"ann"});
  OpenAnew();
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  StallOnPost(edge, 10, "a");
  store_->Block(StoreCall::kReadRoom);

  ExpectRefusedEarly(edge.DoPost(1, "ann", "b", "refused"));

  store_->Unblock(StoreCall::kReadRoom);
  store_->Unblock(StoreCall::kAppend);
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(10)), "ok");
}

TEST_F(OverloadTest, RecoversByItselfAndByOneSend) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  Fail(edge, "a");
  ExpectRefusedEarly(edge.DoPost(1, "ann", "a", "refused"));
  store_->Heal();

  // Three come at once until the first of them is let through.
  uint64_t request = 100;
  for (const Deadline end = Soon(); std::chrono::steady_clock::now() < end; request += 3) {
    edge.Send(TestEdge::Post(1, "ann", request, "a", "one"),
              TestEdge::Post(1, "ann", request + 1, "a", "two"),
              TestEdge::Post(1, "ann", request + 2, "a", "three"));
    ExpectRefusedEarly(edge.stream().AwaitResult(request + 1));
    ExpectRefusedEarly(edge.stream().AwaitResult(request + 2));
    if (WordOf(edge.stream().AwaitResult(request)) == "ok") break;
  }

  EXPECT_EQ(edge.stream().AwaitResult(request).post_message().seq(), 2);
  EXPECT_EQ(edge.stream().AwaitResult(request + 2).error().retry_after_ms(), 100u);
  EXPECT_EQ(edge.DoPost(1, "ann", "a", "two").post_message().seq(), 3);
}

TEST_F(OverloadTest, RefusesASendThatWouldNotBeWrittenBeforeItsDeadline) {
  OpenAnew(absl::Minutes(1));
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  StallOnPost(edge, 10, "a");  // For longer than the next has time.

  EdgeCommand hasty = TestEdge::Post(1, "ann", 11, "a", "hasty");
  hasty.command.set_deadline_ms(200);
  ExpectRefusedEarly(edge.Do(std::move(hasty)));
  edge.Send(TestEdge::Post(1, "ann", 12, "a", "patient"));
  AwaitLane("a");
  store_->Unblock(StoreCall::kAppend);

  EXPECT_EQ(edge.stream().AwaitResult(10).post_message().seq(), 2);
  EXPECT_EQ(edge.stream().AwaitResult(12).post_message().seq(), 3);
}

TEST_F(OverloadTest, AnswersEverybodyWhenRefusedActsAreRecordedWhileTheQueueIsFull) {
  OpenAnew(absl::Minutes(1));
  MakeRoom("a", {"ann", "bob"});
  TestEdge edge(*dispatcher_, "e1");
  store_->Block(StoreCall::kAppend);
  edge.Send(TestEdge::Post(1, "ann", 10, "a", "accepted"));
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kAppend));
  EdgeCommand ban = TestEdge::Ask(2, "bob", 11);  // Is recorded a second later.
  ban.command.mutable_change_member()->set_room_id("a");
  ban.command.mutable_change_member()->set_user_id("ann");
  ban.command.mutable_change_member()->mutable_ban();
  EXPECT_EQ(WordOf(edge.Do(std::move(ban))), "FORBIDDEN");
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);

  // More than fits into the queue, then on and on.
  std::string content;
  for (int i = 0; i < 4000; ++i) content += "\U0001F600";
  const uint64_t first = 1000;
  uint64_t request = first;
  for (; request < first + CommitQueue::kBytesLimit / content.size(); ++request) {
    edge.Send(TestEdge::Post(1, "ann", request, "a", content));
  }
  const uint64_t refused = request;
  while (std::chrono::steady_clock::now() < end) {
    for (int i = 0; i < 20; ++i) edge.Send(TestEdge::Post(1, "ann", request++, "a", content));
    ASSERT_EQ(WordOf(edge.stream().AwaitResult(request - 1)), "UNAVAILABLE");
  }
  AwaitLane("a");

  uint64_t answered = 0;
  for (const v1::ControlItem& item : edge.stream().items()) {
    if (item.has_result() && item.result().request() >= refused) ++answered;
  }
  EXPECT_EQ(answered, request - refused);
  store_->Unblock(StoreCall::kAppend);
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(10)), "ok");
}

}  // namespace
}  // namespace confab::control
