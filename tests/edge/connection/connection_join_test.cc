// What a connection does from joinRoom to the first live event.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/connection/connection_fixture.h"

namespace confab::edge {
namespace {

using ConnectionJoin = ConnectionTest;

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(ConnectionJoin, GoesLiveAtOnceWithoutAPosition) {
  connection_->Ask(Join("r"), 1);

  EXPECT_EQ(connection_->OnSubscribed("r", 10, true), std::nullopt);
  connection_->OnResult(Join("r"), 1, Joined(10));

  EXPECT_THAT(wire_.said, ElementsAre("result 1"));
  EXPECT_EQ(CountPages(), 0u);
}

TEST_F(ConnectionJoin, ReadsNothingBeforeTheJoinIsAnswered) {
  connection_->Ask(Join("r", 4), 1);

  EXPECT_EQ(connection_->OnSubscribed("r", 10, true), 4);
  connection_->Replay();

  EXPECT_EQ(CountPages(), 0u);
}

TEST_F(ConnectionJoin, AnswersFirstThenReplaysThenGoesLive) {
  JoinBehind(4, 7);
  EXPECT_THAT(wire_.said, ElementsAre("result 1"));
  EXPECT_THAT(transport_.sent, IsEmpty());

  AnswerPage(4, Page(5, 7, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:5", "0:6", "0:7"));
  EXPECT_THAT(host_.live, ElementsAre("r behind 7"));
  EXPECT_EQ(CountPages(), 1u);
}

TEST_F(ConnectionJoin, AsksForPagesUntilItMeetsTheLivePosition) {
  JoinBehind(4, 8);

  AnswerPage(4, Page(5, 6, true));
  EXPECT_THAT(host_.live, IsEmpty());
  host_.position = 9;  // One came in meanwhile.
  AnswerPage(6, Page(7, 8, true));
  EXPECT_THAT(host_.live, IsEmpty());
  AnswerPage(8, Page(9, 9, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:5", "0:6", "0:7", "0:8", "0:9"));
  EXPECT_THAT(host_.live, ElementsAre("r behind 9"));
}

TEST_F(ConnectionJoin, GoesLiveBehindWhatAPageHadMoreThanTheHub) {
  JoinBehind(4, 6);

  AnswerPage(4, Page(5, 8, false));

  EXPECT_THAT(host_.live, ElementsAre("r behind 8")) << "or 7 and 8 would come twice";
}

TEST_F(ConnectionJoin, AsksForNothingWhenNothingWasMissed) {
  JoinBehind(7, 7);

  EXPECT_EQ(CountPages(), 0u);
  EXPECT_THAT(host_.live, ElementsAre("r behind 7"));
}

TEST_F(ConnectionJoin, WaitsForRoomInTheOutbox) {
  JoinBehind(0, 4);
  transport_.room_for = 2;
  AnswerPage(0, Page(1, 3, true));
  EXPECT_THAT(transport_.sent, ElementsAre("0:1", "0:2"));
  EXPECT_EQ(CountPages(), 1u);

  transport_.room_for = 1;
  connection_->Replay();
  EXPECT_THAT(transport_.sent, ElementsAre("0:1", "0:2", "0:3"));
  EXPECT_EQ(CountPages(), 1u) << "the next page only when there is room for it";

  transport_.room_for = 10;
  connection_->Replay();
  AnswerPage(3, Page(4, 4, false));
  EXPECT_THAT(transport_.sent, ElementsAre("0:1", "0:2", "0:3", "0:4"));
  EXPECT_THAT(host_.live, ElementsAre("r behind 4"));
}

TEST_F(ConnectionJoin, HandsOverNoEventTwice) {
  JoinBehind(4, 7);

  AnswerPage(4, Page(3, 7, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:5", "0:6", "0:7"));
}

TEST_F(ConnectionJoin, AsksAgainLaterWhenAPageIsNotToBeHad) {
  JoinBehind(4, 5);

  AnswerPage(4, Refused(v1::REASON_UNAVAILABLE));
  EXPECT_EQ(host_.later, 1);
  EXPECT_EQ(CountPages(), 1u);

  connection_->Replay();
  EXPECT_EQ(CountPages(), 2u);
  AnswerPage(4, Page(5, 5, false));
  EXPECT_THAT(host_.live, ElementsAre("r behind 5"));
}

TEST_F(ConnectionJoin, AsksAgainLaterWhenAPageDidNotComeInTime) {
  JoinBehind(4, 5);

  connection_->OnExpired(host_.forwarded.back().first, std::nullopt,
                         MakeError(v1::REASON_UNAVAILABLE, ""));

  EXPECT_EQ(host_.later, 1);
  EXPECT_THAT(wire_.said, ElementsAre("result 1")) << "the client asked for no page";
}

TEST_F(ConnectionJoin, AsksAgainWhenItsTurnComes) {
  connection_->Ask(Join("r", 4), 1);
  connection_->OnSubscribed("r", 5, true);
  host_.position = 5;
  host_.is_full = true;

  connection_->OnResult(Join("r", 4), 1, Joined(5));
  EXPECT_TRUE(host_.waits_for_turn);

  host_.is_full = false;
  connection_->Replay();
  AnswerPage(4, Page(5, 5, false));
  EXPECT_THAT(host_.live, ElementsAre("r behind 5"));
}

TEST_F(ConnectionJoin, ClosesForResumeWhenTheLogIsGone) {
  JoinBehind(4, 9);

  AnswerPage(4, Refused(v1::REASON_RESYNC));

  EXPECT_EQ(wire_.shut, CloseReason::kSlowReader);
}

TEST_F(ConnectionJoin, ClosesRatherThanLeaveAHole) {
  JoinBehind(4, 9);

  AnswerPage(4, Page(7, 9, false));

  EXPECT_EQ(wire_.shut, CloseReason::kSlowReader);
  EXPECT_THAT(transport_.sent, IsEmpty());
}

TEST_F(ConnectionJoin, EndsTheSubscriptionAtAHoleWhereTheClientHasAWordForIt) {
  wire_.knows_resync = true;
  JoinBehind(4, 9);
  wire_.said.clear();

  AnswerPage(4, Page(7, 9, false));

  EXPECT_THAT(wire_.said, ElementsAre("resync r"));
  EXPECT_THAT(host_.unsubscribed, ElementsAre("r"));
  EXPECT_THAT(transport_.sent, IsEmpty());
  EXPECT_EQ(wire_.shut, std::nullopt);
  connection_->Replay();
  EXPECT_EQ(CountPages(), 1u);
}

TEST_F(ConnectionJoin, EndsTheSubscriptionWhenTheLogIsGone) {
  wire_.knows_resync = true;
  JoinBehind(4, 9);
  wire_.said.clear();

  AnswerPage(4, Refused(v1::REASON_RESYNC));

  EXPECT_THAT(wire_.said, ElementsAre("resync r"));
  EXPECT_THAT(host_.unsubscribed, ElementsAre("r"));
  EXPECT_EQ(wire_.shut, std::nullopt);
}

TEST_F(ConnectionJoin, TellsThatTheRoomIsGoneAndClosesNobodyForIt) {
  JoinBehind(4, 9);
  wire_.said.clear();
  connection_->OnRoomLost("r", 9);
  EXPECT_THAT(wire_.said, IsEmpty());
  EXPECT_EQ(wire_.shut, std::nullopt);

  wire_.knows_resync = true;
  connection_->OnRoomLost("r", 9);
  EXPECT_THAT(wire_.said, ElementsAre("resync r"));
  connection_->Replay();
  EXPECT_EQ(CountPages(), 1u) << "what was asked before";
}

TEST_F(ConnectionJoin, LeavesNobodyWaitingForWhatItsEdgeHasMissed) {
  wire_.knows_resync = true;
  connection_->OnRoomLost("r", 0);
  EXPECT_THAT(wire_.said, ElementsAre("resync r"));
  EXPECT_EQ(wire_.shut, std::nullopt);

  wire_.knows_resync = false;
  connection_->OnRoomLost("r", 0);
  EXPECT_EQ(wire_.shut, CloseReason::kSlowReader);
}

TEST_F(ConnectionJoin, LeavesARoomWhoseReplayIsRefused) {
  JoinBehind(4, 9);

  AnswerPage(4, Refused(v1::REASON_NOT_A_MEMBER));

  EXPECT_THAT(host_.unsubscribed, ElementsAre("r"));
  connection_->Replay();
  EXPECT_EQ(CountPages(), 1u);
}

TEST_F(ConnectionJoin, ReplaysNothingForARefusedJoin) {
  connection_->Ask(Join("r", 4), 1);

  connection_->OnResult(Join("r", 4), 1, Refused(v1::REASON_RESYNC));
  connection_->Replay();

  EXPECT_EQ(CountPages(), 0u);
  EXPECT_EQ(connection_->OnSubscribed("r", 9, true), std::nullopt) << "the join is over";
}

TEST_F(ConnectionJoin, ReplaysUpToTheEventThatEndedTheSubscription) {
  JoinBehind(4, 9);

  connection_->OnUnsubscribed("r", 7);
  host_.position = std::nullopt;
  AnswerPage(4, Page(5, 9, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:5", "0:6", "0:7"));
  EXPECT_THAT(host_.live, IsEmpty());
  connection_->Replay();
  EXPECT_EQ(CountPages(), 1u);
}

TEST_F(ConnectionJoin, StopsAtOnceWhenNothingOfTheRoomIsLeftForIt) {
  JoinBehind(4, 9);

  connection_->OnUnsubscribed("r", 0);
  AnswerPage(4, Page(5, 9, false));

  EXPECT_THAT(transport_.sent, IsEmpty());
  EXPECT_THAT(host_.live, IsEmpty());
}

TEST_F(ConnectionJoin, GivesNothingOfTheRoomAfterTheAnswerToLeaveRoom) {
  JoinBehind(4, 9);
  v1::Command leave;
  leave.mutable_leave_room()->set_room_id("r");
  v1::Result left;
  left.mutable_leave_room()->set_room_id("r");

  connection_->OnUnsubscribed("r", 9);  // Control tells where the subscription ended.
  connection_->OnResult(leave, 2, left);
  AnswerPage(4, Page(5, 9, false));

  EXPECT_THAT(transport_.sent, IsEmpty());
}

TEST_F(ConnectionJoin, IsNoSubscriberAfterAJoinThatCameToNothing) {
  for (const v1::Command& join : {Join("r", 4), Join("r")}) {
    host_.unsubscribed.clear();
    wire_.said.clear();
    connection_->Ask(v1::Command(join), 1);
    connection_->OnSubscribed("r", 9, true);

    connection_->OnExpired(join, 1, MakeError(v1::REASON_UNAVAILABLE, ""));

    EXPECT_THAT(host_.unsubscribed, ElementsAre("r"));
    EXPECT_THAT(wire_.said, ElementsAre("refusal 1 UNAVAILABLE"));
  }
}

TEST_F(ConnectionJoin, KnowsWhichRoomsItIsJoining) {
  EXPECT_FALSE(connection_->IsJoining("r"));

  connection_->Ask(Join("r"), 1);
  EXPECT_TRUE(connection_->IsJoining("r"));
  EXPECT_FALSE(connection_->IsJoining("s"));

  connection_->OnExpired(Join("r"), 1, MakeError(v1::REASON_UNAVAILABLE, ""));
  EXPECT_FALSE(connection_->IsJoining("r")) << "a Subscribe that comes now is too late";
  EXPECT_THAT(host_.unsubscribed, IsEmpty());
}

TEST_F(ConnectionJoin, IsNotJoiningWhatCouldNotBeAsked) {
  host_.is_full = true;

  connection_->Ask(Join("r"), 1);

  EXPECT_FALSE(connection_->IsJoining("r"));
}

TEST_F(ConnectionJoin, StaysASubscriberWhenAnotherJoinIsStillUnderWay) {
  connection_->Ask(Join("r", 4), 1);
  connection_->Ask(Join("r", 4), 2);
  connection_->OnSubscribed("r", 6, true);
  connection_->OnSubscribed("r", 6, false);
  host_.position = 6;

  connection_->OnExpired(Join("r", 4), 1, MakeError(v1::REASON_UNAVAILABLE, ""));
  EXPECT_THAT(host_.unsubscribed, IsEmpty());
  connection_->OnResult(Join("r", 4), 2, Joined(6));

  AnswerPage(4, Page(5, 6, false));
  EXPECT_THAT(host_.live, ElementsAre("r behind 6"));
}

TEST_F(ConnectionJoin, LeavesWhenTheLastOfSeveralJoinsCameToNothing) {
  connection_->Ask(Join("r", 4), 1);
  connection_->Ask(Join("r", 4), 2);
  connection_->OnSubscribed("r", 6, true);

  connection_->OnExpired(Join("r", 4), 1, MakeError(v1::REASON_UNAVAILABLE, ""));
  connection_->OnExpired(Join("r", 4), 2, MakeError(v1::REASON_UNAVAILABLE, ""));

  EXPECT_THAT(host_.unsubscribed, ElementsAre("r"));
}

TEST_F(ConnectionJoin, GoesOnReplayingWhenASecondJoinIsRefused) {
  JoinBehind(4, 7);
  connection_->Ask(Join("r", 99), 2);

  connection_->OnResult(Join("r", 99), 2, Refused(v1::REASON_RESYNC));
  AnswerPage(4, Page(5, 7, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:5", "0:6", "0:7"));
  EXPECT_THAT(host_.live, ElementsAre("r behind 7"));
}

TEST_F(ConnectionJoin, ReadsAgainForALiveSubscriberThatAsksForMore) {
  JoinBehind(4, 4);
  host_.live.clear();
  host_.position = 6;  // 5 and 6 were delivered live.
  connection_->Ask(Join("r", 2), 2);

  EXPECT_EQ(connection_->OnSubscribed("r", 4, false), 2);
  connection_->OnResult(Join("r", 2), 2, Joined(6));
  AnswerPage(2, Page(3, 6, false));

  EXPECT_THAT(host_.live, ElementsAre("r behind 6"));
}

TEST_F(ConnectionJoin, MissesNothingWhenALiveSubscriberAsksForMoreInVain) {
  JoinBehind(4, 4);
  host_.live.clear();
  host_.position = 6;
  connection_->Ask(Join("r", 2), 2);
  ASSERT_EQ(connection_->OnSubscribed("r", 4, false), 2);  // Live events are held back from here.

  connection_->OnExpired(Join("r", 2), 2, MakeError(v1::REASON_UNAVAILABLE, ""));
  EXPECT_THAT(host_.unsubscribed, IsEmpty());
  EXPECT_THAT(host_.live, ElementsAre("r behind 6"));
}

TEST_F(ConnectionJoin, ReadsWhatWasHeldBackFromALiveSubscriberInVain) {
  JoinBehind(4, 4);
  host_.live.clear();
  host_.position = 6;
  connection_->Ask(Join("r", 2), 2);
  ASSERT_EQ(connection_->OnSubscribed("r", 4, false), 2);
  host_.position = 8;  // 7 and 8 passed meanwhile.

  connection_->OnExpired(Join("r", 2), 2, MakeError(v1::REASON_UNAVAILABLE, ""));
  AnswerPage(6, Page(7, 8, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:7", "0:8"));
  EXPECT_THAT(host_.live, ElementsAre("r behind 8"));
}

TEST_F(ConnectionJoin, LeavesWhatWasHeldBackToAnotherJoin) {
  JoinBehind(4, 4);
  host_.live.clear();
  host_.position = 6;
  connection_->Ask(Join("r", 2), 2);
  connection_->Ask(Join("r", 2), 3);
  ASSERT_EQ(connection_->OnSubscribed("r", 4, false), 2);

  connection_->OnExpired(Join("r", 2), 2, MakeError(v1::REASON_UNAVAILABLE, ""));
  EXPECT_THAT(host_.live, IsEmpty());
  connection_->OnExpired(Join("r", 2), 3, MakeError(v1::REASON_UNAVAILABLE, ""));

  EXPECT_THAT(host_.live, ElementsAre("r behind 6"));
}

TEST_F(ConnectionJoin, KeepsLiveEventsBackWhenASubscriberInReplayJoinsAgain) {
  JoinBehind(4, 7);
  connection_->Ask(Join("r"), 2);

  EXPECT_NE(connection_->OnSubscribed("r", 4, false), std::nullopt);
}

TEST_F(ConnectionJoin, BeginsAnewWhenItIsSubscribedAnew) {
  JoinBehind(4, 7);
  connection_->OnUnsubscribed("r", 6);  // Still reading up to 6.
  host_.position = std::nullopt;
  connection_->Ask(Join("r", 5), 2);

  EXPECT_EQ(connection_->OnSubscribed("r", 9, true), 5);
  host_.position = 9;
  connection_->OnResult(Join("r", 5), 2, Joined(9));
  AnswerPage(5, Page(6, 9, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:6", "0:7", "0:8", "0:9"));
  EXPECT_THAT(host_.live, ElementsAre("r behind 9"));
}

TEST_F(ConnectionJoin, BeginsAnewWhenARunningReplayLostItsSubscription) {
  JoinBehind(4, 7);
  connection_->Ask(Join("r", 6), 2);

  EXPECT_EQ(connection_->OnSubscribed("r", 9, true), 6) << "the hub knew of no subscription";
}

TEST_F(ConnectionJoin, ReadsNothingAgainForALiveSubscriberThatHasEverything) {
  JoinBehind(4, 4);
  connection_->Ask(Join("r", 4), 2);

  EXPECT_EQ(connection_->OnSubscribed("r", 4, false), std::nullopt);
}

TEST_F(ConnectionJoin, ReplaysSeveralRoomsAtOnce) {
  connection_->Ask(Join("r", 4), 1);
  connection_->Ask(Join("s", 2), 2);
  connection_->OnSubscribed("r", 6, true);
  connection_->OnSubscribed("s", 6, true);
  host_.position = 6;

  connection_->OnResult(Join("r", 4), 1, Joined(6));
  connection_->OnResult(Join("s", 2), 2, Joined(6));

  ASSERT_EQ(CountPages(), 2u);
  EXPECT_EQ(host_.forwarded[2].first.replay_page().room_id(), "r");
  EXPECT_EQ(host_.forwarded[3].first.replay_page().room_id(), "s");
  EXPECT_EQ(host_.forwarded[3].first.replay_page().after_seq(), 2);
}

}  // namespace
}  // namespace confab::edge
