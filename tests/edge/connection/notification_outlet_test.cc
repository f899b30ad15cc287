// What services tell one connection: the inbox in its order, everything else by class and priority.
#include <string>

#include <gmock/gmock.h>

#include "tests/edge/connection/connection_fixture.h"

namespace confab::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class NotificationOutletTest : public ConnectionTest {
 protected:
  void Tell(const std::string& event, int64_t inbox_seq = 0,
            v1::DeliveryClass delivery = v1::DELIVERY_CLASS_DROPPABLE,
            v1::NotificationPriority priority = v1::NOTIFICATION_PRIORITY_NORMAL,
            const std::string& key = "") {
    v1::PushedNotification pushed;
    pushed.mutable_notification()->set_event(event);
    pushed.mutable_notification()->set_inbox_seq(inbox_seq);
    pushed.set_delivery_class(delivery);
    pushed.set_priority(priority);
    pushed.set_conflation_key(key);
    std::string scratch;
    connection_->outlet().Offer(pushed, encoder_.Encode(pushed.notification(), scratch), now_);
  }
  void State(int64_t acked_seq, int64_t last_seq) {
    v1::InboxState state;
    state.set_acked_seq(acked_seq);
    state.set_last_seq(last_seq);
    connection_->outlet().OnState(state);
  }
  // The newest command of the outlet.
  v1::Command Asked() const {
    return host_.forwarded.empty() ? v1::Command() : host_.forwarded.back().first;
  }
  void AnswerPage(int64_t expected_after, int64_t first, int64_t last, int64_t through, bool more) {
    ASSERT_TRUE(Asked().has_read_inbox());
    EXPECT_TRUE(Asked().is_automatic());
    EXPECT_EQ(Asked().connection(), 513u);
    EXPECT_EQ(Asked().read_inbox().after_seq(), expected_after);
    v1::Result result;
    for (int64_t seq = first; seq <= last; ++seq) {
      v1::Notification& one = *result.mutable_inbox_page()->add_notifications();
      one.set_event("kept");
      one.set_inbox_seq(seq);
    }
    result.mutable_inbox_page()->set_through_seq(through);
    result.mutable_inbox_page()->set_more(more);
    connection_->OnResult(Asked(), std::nullopt, result);
  }

  std::chrono::steady_clock::time_point now_ = std::chrono::steady_clock::now();
};

TEST_F(NotificationOutletTest, SendsAtOnceWhileThereIsRoom) {
  Tell("a");
  Tell("b", 0, v1::DELIVERY_CLASS_LATEST, v1::NOTIFICATION_PRIORITY_HIGH, "k");

  EXPECT_THAT(transport_.sent, ElementsAre("0:a#0", "0:b#0"));
}

TEST_F(NotificationOutletTest, ASlowReaderGetsTheNewestOfAKeyAndUrgentOnesFirst) {
  transport_.room_for = 1;
  Tell("first", 0, v1::DELIVERY_CLASS_LATEST, v1::NOTIFICATION_PRIORITY_NORMAL, "k");
  Tell("second", 0, v1::DELIVERY_CLASS_LATEST, v1::NOTIFICATION_PRIORITY_NORMAL, "k");
  Tell("third", 0, v1::DELIVERY_CLASS_LATEST, v1::NOTIFICATION_PRIORITY_NORMAL, "k");
  Tell("urgent", 0, v1::DELIVERY_CLASS_DROPPABLE, v1::NOTIFICATION_PRIORITY_HIGH);
  EXPECT_THAT(transport_.sent, ElementsAre("0:first#0"));

  transport_.room_for = 10;
  connection_->OnDrained();

  EXPECT_THAT(transport_.sent, ElementsAre("0:first#0", "0:urgent#0", "0:third#0"));
}

TEST_F(NotificationOutletTest, CountsWhatASlowReaderIsNotTold) {
  transport_.room_for = 0;
  const std::string big(64, 'x');
  for (int i = 0; i < 4'000; ++i) Tell(big);

  EXPECT_GT(host_.dropped_over_limit, 0u);
  EXPECT_LT(host_.dropped_over_limit, 4'000u);
}

TEST_F(NotificationOutletTest, LowOnesWaitForTheTickAndAHighOneDoesNotWaitForThem) {
  Tell("low", 0, v1::DELIVERY_CLASS_DROPPABLE, v1::NOTIFICATION_PRIORITY_LOW);
  Tell("low2", 0, v1::DELIVERY_CLASS_DROPPABLE, v1::NOTIFICATION_PRIORITY_LOW);
  EXPECT_EQ(host_.later, 1);
  Tell("high", 0, v1::DELIVERY_CLASS_DROPPABLE, v1::NOTIFICATION_PRIORITY_HIGH);
  EXPECT_THAT(transport_.sent, ElementsAre("0:high#0"));

  connection_->OnTick();

  EXPECT_THAT(transport_.sent, ElementsAre("0:high#0", "0:low#0", "0:low2#0"));
}

TEST_F(NotificationOutletTest, ReadsWhatWaitsPageByPageAndThenGoesLive) {
  State(2, 5);
  AnswerPage(2, 3, 4, 4, true);
  Tell("kept", 6);
  EXPECT_THAT(transport_.sent, ElementsAre("0:kept#3", "0:kept#4"));
  AnswerPage(4, 5, 5, 5, false);
  AnswerPage(5, 6, 6, 6, false);
  Tell("kept", 7);
  Tell("kept", 7);

  EXPECT_THAT(transport_.sent,
              ElementsAre("0:kept#3", "0:kept#4", "0:kept#5", "0:kept#6", "0:kept#7"));
}

TEST_F(NotificationOutletTest, TheFirstOfAnInboxNeedsNoReadAndAGapDoes) {
  Tell("kept", 1);
  EXPECT_THAT(host_.forwarded, IsEmpty());
  Tell("kept", 3);
  EXPECT_THAT(transport_.sent, ElementsAre("0:kept#1"));

  AnswerPage(1, 2, 3, 3, false);

  EXPECT_THAT(transport_.sent, ElementsAre("0:kept#1", "0:kept#2", "0:kept#3"));
}

TEST_F(NotificationOutletTest, NeedsNoReadWhereNothingWaited) {
  State(100, 100);
  Tell("kept", 101);

  EXPECT_THAT(host_.forwarded, IsEmpty());
  EXPECT_THAT(transport_.sent, ElementsAre("0:kept#101"));
}

TEST_F(NotificationOutletTest, PassesOverWhatHasGoneMeanwhile) {
  State(0, 4);
  AnswerPage(0, 1, 1, 4, false);
  Tell("kept", 5);

  EXPECT_THAT(transport_.sent, ElementsAre("0:kept#1", "0:kept#5"));
}

TEST_F(NotificationOutletTest, AsksForNoPageWithoutRoomAndForNoneTwice) {
  transport_.room_for = 0;
  State(0, 3);
  EXPECT_THAT(host_.forwarded, IsEmpty());

  transport_.room_for = 2;
  connection_->OnDrained();
  connection_->OnDrained();
  EXPECT_EQ(host_.forwarded.size(), 1u);
  AnswerPage(0, 1, 3, 3, false);
  EXPECT_THAT(transport_.sent, ElementsAre("0:kept#1", "0:kept#2"));
  transport_.room_for = 9;
  connection_->OnDrained();

  EXPECT_EQ(transport_.sent.size(), 3u);
}

TEST_F(NotificationOutletTest, AsksAgainWhenNoAnswerComes) {
  State(0, 1);
  connection_->OnExpired(Asked(), std::nullopt, MakeError(v1::REASON_UNAVAILABLE, "late"));
  EXPECT_EQ(host_.later, 1);
  EXPECT_THAT(wire_.said, IsEmpty());

  connection_->OnTick();

  EXPECT_EQ(host_.forwarded.size(), 2u);
}

TEST_F(NotificationOutletTest, AcknowledgesWhatWasWrittenWhereTheClientCannot) {
  encoder_.can_ack = false;
  Tell("kept", 1);
  Tell("kept", 2);
  EXPECT_THAT(host_.forwarded, IsEmpty()) << "nothing was written yet";

  transport_.is_empty = true;
  connection_->OnDrained();
  ASSERT_TRUE(Asked().has_ack_inbox());
  EXPECT_EQ(Asked().ack_inbox().inbox_seq(), 2);
  v1::Result result;
  result.mutable_ack_inbox()->set_acked_seq(2);
  connection_->OnResult(Asked(), std::nullopt, result);
  connection_->OnDrained();

  EXPECT_EQ(host_.forwarded.size(), 1u);
  EXPECT_THAT(wire_.said, IsEmpty());
}

TEST_F(NotificationOutletTest, AcknowledgesAgainWhatControlRefusesForNow) {
  encoder_.can_ack = false;
  Tell("kept", 1);
  transport_.is_empty = true;
  connection_->OnDrained();
  ASSERT_TRUE(Asked().has_ack_inbox());
  v1::Result refused;
  *refused.mutable_error() = MakeError(v1::REASON_UNAVAILABLE, "not now");
  connection_->OnResult(Asked(), std::nullopt, refused);
  EXPECT_EQ(host_.forwarded.size(), 1u);
  EXPECT_EQ(host_.later, 1);

  connection_->OnTick();

  ASSERT_EQ(host_.forwarded.size(), 2u);
  EXPECT_EQ(Asked().ack_inbox().inbox_seq(), 1);
}

// The client is asked for an ack of each notification of its inbox.
class AskedAcksTest : public NotificationOutletTest {
 protected:
  AskedAcksTest() {
    encoder_.can_ack = false;
    encoder_.asks_acks = true;
  }
  size_t CountAcks() const {
    size_t acks = 0;
    for (const auto& [command, reply_id] : host_.forwarded) acks += command.has_ack_inbox();
    return acks;
  }
  // The newest command acknowledges up to there; control does so.
  void AnswerAck(int64_t expected) {
    ASSERT_TRUE(Asked().has_ack_inbox());
    EXPECT_TRUE(Asked().is_automatic());
    EXPECT_EQ(Asked().ack_inbox().inbox_seq(), expected);
    v1::Result result;
    result.mutable_ack_inbox()->set_acked_seq(expected);
    connection_->OnResult(Asked(), std::nullopt, result);
  }
  void Drop(int64_t first_seq) {
    const Dropped dropped{.key = encoder_.KeyOfInbox(), .first_seq = first_seq};
    connection_->OnDegraded({&dropped, 1});
  }

  static constexpr auto kLimit = static_cast<int64_t>(AwaitedAcks::kLimit);
};

TEST_F(AskedAcksTest, AcknowledgeWhatTheClientSaysAndNothingBefore) {
  Tell("kept", 1);
  Tell("kept", 2);
  transport_.is_empty = true;
  connection_->OnDrained();
  EXPECT_THAT(host_.forwarded, IsEmpty()) << "it was written, and no more";

  EXPECT_TRUE(connection_->OnAck(1));
  AnswerAck(1);
  EXPECT_TRUE(connection_->OnAck(2));
  AnswerAck(2);

  EXPECT_EQ(CountAcks(), 2u);
  EXPECT_THAT(wire_.said, IsEmpty());
}

TEST_F(AskedAcksTest, AcknowledgeNothingBehindOneThatIsMissing) {
  State(0, 3);
  AnswerPage(0, 1, 3, 3, false);
  EXPECT_TRUE(connection_->OnAck(3));
  EXPECT_TRUE(connection_->OnAck(2));
  EXPECT_EQ(CountAcks(), 0u);

  EXPECT_TRUE(connection_->OnAck(1));

  AnswerAck(3);
}

TEST_F(AskedAcksTest, GoTogetherWhileControlHasNotAnswered) {
  for (int64_t seq = 1; seq <= 4; ++seq) Tell("kept", seq);
  for (uint64_t id = 1; id <= 4; ++id) EXPECT_TRUE(connection_->OnAck(id));
  EXPECT_EQ(CountAcks(), 1u);

  AnswerAck(1);
  AnswerAck(4);

  EXPECT_EQ(CountAcks(), 2u);
}

TEST_F(AskedAcksTest, AreOfNoInterestTwiceOrUnasked) {
  EXPECT_FALSE(connection_->OnAck(1));
  Tell("live");
  EXPECT_FALSE(connection_->OnAck(0));
  Tell("kept", 1);
  EXPECT_FALSE(connection_->OnAck(2));
  EXPECT_TRUE(connection_->OnAck(1));
  EXPECT_FALSE(connection_->OnAck(1));
  AnswerAck(1);

  EXPECT_FALSE(connection_->OnAck(1));

  EXPECT_EQ(CountAcks(), 1u);
}

TEST_F(AskedAcksTest, AreSaidAgainWhereControlRefusesForNow) {
  Tell("kept", 1);
  EXPECT_TRUE(connection_->OnAck(1));
  v1::Result refused;
  *refused.mutable_error() = MakeError(v1::REASON_UNAVAILABLE, "not now");
  connection_->OnResult(Asked(), std::nullopt, refused);
  EXPECT_EQ(CountAcks(), 1u);
  EXPECT_EQ(host_.later, 1);

  connection_->OnTick();

  EXPECT_EQ(CountAcks(), 2u);
  AnswerAck(1);
}

TEST_F(AskedAcksTest, AreWaitedForBeforeMoreIsTold) {
  State(0, kLimit + 40);
  for (int64_t after = 0; after < kLimit; after += 100) {
    AnswerPage(after, after + 1, after + 100, after + 100, true);
  }
  EXPECT_EQ(transport_.sent.size(), AwaitedAcks::kLimit);
  const size_t asked = host_.forwarded.size();
  connection_->OnDrained();
  connection_->OnTick();
  Tell("kept", kLimit + 41);
  EXPECT_EQ(transport_.sent.size(), AwaitedAcks::kLimit);
  EXPECT_EQ(host_.forwarded.size(), asked) << "no page is read that could not be told";

  for (int64_t seq = kLimit; seq > kLimit / 2; --seq) {
    EXPECT_TRUE(connection_->OnAck(static_cast<uint64_t>(seq)));
  }

  AnswerPage(kLimit, kLimit + 1, kLimit + 41, kLimit + 41, false);
  EXPECT_EQ(transport_.sent.size(), AwaitedAcks::kLimit + 41);
  EXPECT_EQ(transport_.sent.back(), "0:kept#" + std::to_string(kLimit + 41));
  EXPECT_EQ(CountAcks(), 0u) << "the first is still missing";
}

TEST_F(AskedAcksTest, AreNotHeldAgainstWhatASlowReaderNeverGot) {
  for (int64_t seq = 1; seq <= 3; ++seq) Tell("kept", seq);

  Drop(2);

  EXPECT_FALSE(connection_->OnAck(3));
  EXPECT_TRUE(connection_->OnAck(1));
  EXPECT_EQ(CountAcks(), 1u);
  // The page was asked for before the ack.
  v1::Command read;
  for (const auto& [command, reply_id] : host_.forwarded) {
    if (command.has_read_inbox()) read = command;
  }
  EXPECT_EQ(read.read_inbox().after_seq(), 1);
  AnswerAck(1);
  v1::Result page;
  for (int64_t seq = 2; seq <= 3; ++seq) {
    page.mutable_inbox_page()->add_notifications()->set_event("kept");
    page.mutable_inbox_page()->mutable_notifications(static_cast<int>(seq) - 2)->set_inbox_seq(seq);
  }
  page.mutable_inbox_page()->set_through_seq(3);
  connection_->OnResult(read, std::nullopt, page);
  EXPECT_THAT(transport_.sent,
              ElementsAre("0:kept#1", "0:kept#2", "0:kept#3", "0:kept#2", "0:kept#3"));
  EXPECT_TRUE(connection_->OnAck(3));
  EXPECT_TRUE(connection_->OnAck(2));
  AnswerAck(3);
}

TEST_F(AskedAcksTest, ThatCameLastArePassedOnBeforeTheConnectionLeaves) {
  for (int64_t seq = 1; seq <= 3; ++seq) Tell("kept", seq);
  EXPECT_TRUE(connection_->OnAck(1));
  EXPECT_TRUE(connection_->OnAck(2));
  EXPECT_EQ(Asked().ack_inbox().inbox_seq(), 1);

  connection_->Leave();

  EXPECT_EQ(CountAcks(), 2u);
  EXPECT_EQ(Asked().ack_inbox().inbox_seq(), 2);
  EXPECT_FALSE(connection_->OnAck(3)) << "it is over";
  EXPECT_EQ(CountAcks(), 2u);
}

TEST_F(AskedAcksTest, OfOthersOfTheUserCountHereToo) {
  State(0, 2);
  AnswerPage(0, 1, 2, 2, false);

  State(2, 2);  // Control was away; another device has acknowledged meanwhile.
  EXPECT_TRUE(connection_->OnAck(1));
  EXPECT_TRUE(connection_->OnAck(2));

  EXPECT_EQ(CountAcks(), 0u);
}

TEST_F(NotificationOutletTest, LeavesTheAckToTheClientThatCan) {
  Tell("kept", 1);
  transport_.is_empty = true;
  connection_->OnDrained();

  EXPECT_THAT(host_.forwarded, IsEmpty());
}

}  // namespace
}  // namespace confab::edge
