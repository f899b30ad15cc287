// What a connection does when its transport had to drop logged frames.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/connection/connection_fixture.h"

namespace confab::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ConnectionHealing : public ConnectionTest {
 protected:
  // Live in room "r" behind `since`, which has come to `position`.
  void BeLive(int64_t since, int64_t position) {
    host_.rooms = {"r"};
    host_.since = since;
    host_.position = position;
  }
  void Drop(int64_t first_seq, const std::string& room = "r") {
    const Dropped dropped{.key = encoder_.KeyOfRoom(room), .first_seq = first_seq};
    connection_->OnDegraded({&dropped, 1});
  }
};

TEST_F(ConnectionHealing, ReadsAgainFromTheFirstEventThatWasDropped) {
  BeLive(2, 9);

  Drop(6);
  EXPECT_THAT(host_.held, ElementsAre("r"));
  AnswerPage(5, Page(6, 9, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:6", "0:7", "0:8", "0:9"));
  EXPECT_THAT(host_.live, ElementsAre("r behind 9"));
  EXPECT_EQ(transport_.places.front().seq, 6) << "it can be dropped once more";
  EXPECT_EQ(transport_.places.front().key, encoder_.KeyOfRoom("r"));
}

TEST_F(ConnectionHealing, LeavesRoomsAloneOfWhichNothingWasDropped) {
  BeLive(2, 9);

  Drop(6, "other");
  const NumberEncoder other_namespace(1);
  const Dropped of_other{.key = other_namespace.KeyOfRoom("r"), .first_seq = 6};
  connection_->OnDegraded({&of_other, 1});

  EXPECT_THAT(host_.held, IsEmpty());
  EXPECT_EQ(CountPages(), 0u);
}

TEST_F(ConnectionHealing, ReadsNothingFromBeforeTheSubscription) {
  BeLive(7, 9);

  Drop(3);

  AnswerPage(7, Page(8, 9, false));
  EXPECT_THAT(transport_.sent, ElementsAre("0:8", "0:9"));
}

TEST_F(ConnectionHealing, GoesBackWhereItIsReading) {
  JoinBehind(4, 20);
  BeLive(4, 20);
  AnswerPage(4, Page(5, 9, true));
  ASSERT_EQ(CountPages(), 2u);

  Drop(7);  // While the page behind 9 is on its way.
  EXPECT_EQ(CountPages(), 2u);
  AnswerPage(9, Page(10, 20, false));
  AnswerPage(6, Page(7, 20, false));

  EXPECT_EQ(wire_.shut, std::nullopt);
  EXPECT_EQ(transport_.sent.size(), 5u + 14u);
  EXPECT_EQ(transport_.sent[5], "0:7");
  EXPECT_THAT(host_.live, ElementsAre("r behind 20"));
}

TEST_F(ConnectionHealing, ForgetsThePageAtHandWhenItGoesBack) {
  JoinBehind(4, 9);
  BeLive(4, 9);
  transport_.room_for = 2;
  AnswerPage(4, Page(5, 9, false));
  ASSERT_THAT(transport_.sent, ElementsAre("0:5", "0:6"));

  Drop(6);
  transport_.room_for = 100;
  connection_->OnDrained();
  AnswerPage(5, Page(6, 9, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:5", "0:6", "0:6", "0:7", "0:8", "0:9"));
}

TEST_F(ConnectionHealing, AnswersAJoinBeforeItReadsAgain) {
  connection_->Ask(Join("r"), 1);
  EXPECT_EQ(connection_->OnSubscribed("r", 5, true), std::nullopt);
  BeLive(5, 8);

  Drop(7);
  EXPECT_EQ(CountPages(), 0u);
  connection_->OnResult(Join("r"), 1, Joined(5));

  AnswerPage(6, Page(7, 8, false));
  EXPECT_THAT(transport_.sent, ElementsAre("0:7", "0:8"));
}

TEST_F(ConnectionHealing, DoesNotWaitForAnAnswerThatItsSubscriptionDoesNotNeed) {
  BeLive(5, 8);
  connection_->Ask(Join("r"), 2);  // Again.

  Drop(7);

  EXPECT_EQ(CountPages(), 1u);
}

TEST_F(ConnectionHealing, GoesOnFromWhatWasDroppedWhenAJoinForMoreFails) {
  JoinBehind(4, 4);
  host_.live.clear();
  BeLive(4, 9);
  connection_->Ask(Join("r", 2), 2);
  ASSERT_EQ(connection_->OnSubscribed("r", 4, false), 2);  // Held back at 9.

  Drop(7);
  EXPECT_EQ(CountPages(), 0u) << "the answer is still to come";
  connection_->OnExpired(Join("r", 2), 2, MakeError(v1::REASON_UNAVAILABLE, ""));
  AnswerPage(6, Page(7, 9, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:7", "0:8", "0:9"));
  EXPECT_THAT(host_.live, ElementsAre("r behind 9"));
}

TEST_F(ConnectionHealing, GivesAReaderInReplayWhatItAsksForFromFurtherBack) {
  BeLive(4, 9);
  Drop(7);  // The page behind 6 is under way.
  connection_->Ask(Join("r", 1), 2);

  EXPECT_EQ(connection_->OnSubscribed("r", 4, false), 1);
  AnswerPage(6, Page(7, 9, false));
  EXPECT_THAT(transport_.sent, IsEmpty()) << "the answer comes first";
  connection_->OnResult(Join("r", 1), 2, Joined(9));
  AnswerPage(1, Page(2, 9, false));

  EXPECT_EQ(transport_.sent.size(), 8u);
  EXPECT_EQ(transport_.sent.front(), "0:2");
  EXPECT_THAT(host_.live, ElementsAre("r behind 9"));
}

// A ban: the event and the end of the subscription come while all of it still waits.
TEST_F(ConnectionHealing, ReadsUpToTheEndOfASubscriptionWhoseLastEventsWereDropped) {
  transport_.is_empty = false;
  connection_->OnUnsubscribed("r", 8);

  Drop(6);
  AnswerPage(5, Page(6, 12, true));

  EXPECT_THAT(transport_.sent, ElementsAre("0:6", "0:7", "0:8"));
  EXPECT_THAT(host_.live, IsEmpty());
  Drop(7);  // Once more, before it is sent.
  AnswerPage(6, Page(7, 12, true));
  EXPECT_EQ(transport_.sent.size(), 5u);
}

TEST_F(ConnectionHealing, ReadsNothingFromBeforeASubscriptionThatHasEnded) {
  transport_.is_empty = false;
  connection_->OnUnsubscribed("r", 12, 10);

  Drop(3);  // Of an earlier one, and all that followed.
  AnswerPage(10, Page(11, 12, false));
  Drop(3);
  AnswerPage(10, Page(11, 12, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:11", "0:12", "0:11", "0:12"));
}

TEST_F(ConnectionHealing, ForgetsASubscriptionThatHasEndedWhenAllOfItIsSent) {
  transport_.is_empty = false;
  connection_->OnUnsubscribed("r", 8);
  transport_.is_empty = true;
  connection_->OnDrained();

  Drop(6);

  EXPECT_EQ(CountPages(), 0u);
}

TEST_F(ConnectionHealing, ReadsNothingOfARoomThatTheClientHasLeft) {
  transport_.is_empty = false;
  v1::Command leave;
  leave.mutable_leave_room()->set_room_id("r");
  v1::Result left;
  left.mutable_leave_room()->set_room_id("r");
  connection_->OnUnsubscribed("r", 8);
  connection_->OnResult(leave, 2, left);

  Drop(6);

  EXPECT_EQ(CountPages(), 0u);
}

TEST_F(ConnectionHealing, ReadsNothingOfARoomOfWhichNothingMayFollow) {
  transport_.is_empty = false;
  connection_->OnUnsubscribed("r", 0);

  Drop(6);

  EXPECT_EQ(CountPages(), 0u);
}

TEST_F(ConnectionHealing, BeginsAnewWithANewSubscription) {
  transport_.is_empty = false;
  connection_->OnUnsubscribed("r", 8);
  connection_->Ask(Join("r", 10), 1);
  EXPECT_EQ(connection_->OnSubscribed("r", 12, true), 10);
  BeLive(10, 12);
  connection_->OnResult(Join("r", 10), 1, Joined(12));

  Drop(6);  // Of the earlier one.
  AnswerPage(10, Page(11, 12, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:11", "0:12"));
}

TEST_F(ConnectionHealing, ReadsTheInboxAgain) {
  v1::PushedNotification pushed;
  pushed.mutable_notification()->set_event("kept");
  std::string scratch;
  for (int64_t seq = 1; seq <= 3; ++seq) {
    pushed.mutable_notification()->set_inbox_seq(seq);
    connection_->outlet().Offer(pushed, encoder_.EncodeLogged(pushed.notification(), scratch), {});
  }
  ASSERT_EQ(transport_.places.back().key, encoder_.KeyOfInbox());

  const Dropped dropped{.key = encoder_.KeyOfInbox(), .first_seq = 2};
  connection_->OnDegraded({&dropped, 1});

  ASSERT_FALSE(host_.forwarded.empty());
  const v1::Command asked = host_.forwarded.back().first;
  EXPECT_EQ(asked.read_inbox().after_seq(), 1);
  v1::Result result;
  for (int64_t seq = 2; seq <= 3; ++seq) {
    v1::Notification& one = *result.mutable_inbox_page()->add_notifications();
    one.set_event("kept");
    one.set_inbox_seq(seq);
  }
  result.mutable_inbox_page()->set_through_seq(3);
  connection_->OnResult(asked, std::nullopt, result);
  EXPECT_THAT(transport_.sent,
              ElementsAre("0:kept#1", "0:kept#2", "0:kept#3", "0:kept#2", "0:kept#3"));
}

TEST_F(ConnectionHealing, KeepsOfEachSignalTheNewestForASlowReader) {
  const auto tell = [&](const std::string& user, int64_t seq) {
    v1::Signal signal;
    signal.mutable_read_pointer()->set_room_id("r");
    signal.mutable_read_pointer()->set_user_id(user);
    signal.mutable_read_pointer()->set_seq(seq);
    connection_->Tell(signal, SharedFrame::Copy(user + std::to_string(seq)),
                      DeliveryClass::kLatest);
  };
  transport_.is_slow = true;
  transport_.room_for = 0;
  tell("bob", 1);
  tell("cat", 1);
  tell("bob", 2);
  v1::Signal typing;
  typing.mutable_typing()->set_room_id("r");
  connection_->Tell(typing, SharedFrame::Copy("typing"), DeliveryClass::kDroppable);
  EXPECT_THAT(transport_.sent, IsEmpty());

  transport_.is_slow = false;
  tell("dan", 1);
  EXPECT_THAT(transport_.sent, IsEmpty()) << "others wait before it";
  transport_.room_for = 10;
  connection_->OnDrained();

  EXPECT_THAT(transport_.sent, ElementsAre("cat1", "bob2", "dan1"));
}

}  // namespace
}  // namespace confab::edge
