#include "edge/connection/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/connection/connection_fakes.h"

namespace confab::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using tests::NumberEncoder;
using tests::RecordingHost;
using tests::RecordingTransport;
using tests::RecordingWire;

std::string Token(int64_t expires_in_seconds = 3'600) {
  return process::SignJwt({{"sub", "ann"},
                           {"name", "Ann"},
                           {"email", "ann@example.org"},
                           {"exp", absl::ToUnixSeconds(absl::Now()) + expires_in_seconds}},
                          *process::JwtKey::FromSecret(std::string(32, 's')));
}

v1::Command Join(const std::string& room, std::optional<int64_t> after_seq = std::nullopt) {
  v1::Command command;
  command.mutable_join_room()->set_room_id(room);
  if (after_seq) command.mutable_join_room()->set_after_seq(*after_seq);
  return command;
}

v1::Command Post() {
  v1::Command command;
  command.mutable_post_message()->set_room_id("r");
  return command;
}

v1::Command History() {
  v1::Command command;
  command.mutable_get_history()->set_room_id("r");
  return command;
}

v1::Result Joined(int64_t last_seq) {
  v1::Result result;
  result.mutable_join_room()->set_last_seq(last_seq);
  return result;
}

v1::Result Refused(v1::Reason reason) {
  v1::Result result;
  *result.mutable_error() = MakeError(reason, "no");
  return result;
}

// The events first..last.
v1::Result Page(int64_t first, int64_t last, bool more) {
  v1::Result result;
  v1::HistoryPage& page = *result.mutable_history();
  page.set_room_id("r");
  for (int64_t seq = first; seq <= last; ++seq) {
    page.add_events()->set_seq(seq);
    page.mutable_events(page.events_size() - 1)->set_room_id("r");
  }
  page.set_more(more);
  return result;
}

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() {
    EXPECT_FALSE(connection_->Authenticate(Token()));
    connection_->Admit(513, "e-513");
    wire_.said.clear();
  }

  // The last page asked for must be the one behind that seq; answers it.
  void AnswerPage(int64_t expected_after, const v1::Result& result) {
    v1::Command command;
    for (const auto& [forwarded, reply_id] : host_.forwarded) {
      if (forwarded.has_replay_page()) command = forwarded;
    }
    ASSERT_TRUE(command.has_replay_page());
    EXPECT_EQ(command.connection(), 513u);
    EXPECT_EQ(command.replay_page().room_id(), "r");
    EXPECT_EQ(command.replay_page().after_seq(), expected_after);
    connection_->OnResult(command, std::nullopt, result);
  }

  size_t CountPages() const {
    size_t pages = 0;
    for (const auto& [command, reply_id] : host_.forwarded) pages += command.has_replay_page();
    return pages;
  }

  // joinRoom {afterSeq} of a new subscriber, accepted: the room has come to `last_seq`.
  void JoinBehind(int64_t after_seq, int64_t last_seq) {
    connection_->Ask(Join("r", after_seq), 1);
    EXPECT_EQ(connection_->OnSubscribed("r", last_seq, true), after_seq);
    host_.position = last_seq;
    connection_->OnResult(Join("r", after_seq), 1, Joined(last_seq));
  }

  RecordingTransport transport_;
  RecordingWire wire_;
  RecordingHost host_;
  NumberEncoder encoder_{0};
  std::unique_ptr<Connection> connection_ =
      std::make_unique<Connection>(host_, wire_, transport_, encoder_);
};

TEST_F(ConnectionTest, EntersWithAGoodToken) {
  EXPECT_EQ(host_.entered, 1);
  EXPECT_TRUE(connection_->is_authenticated());
  const v1::ConnectionOpened opened = connection_->Describe();
  EXPECT_EQ(opened.connection(), 513u);
  EXPECT_EQ(opened.user().id(), "ann");
  EXPECT_EQ(opened.user().name(), "Ann");
  EXPECT_EQ(opened.email(), "ann@example.org");
}

TEST_F(ConnectionTest, NeverEntersWithABadOne) {
  Connection other(host_, wire_, transport_, encoder_);

  const auto refusal = other.Authenticate("garbage");

  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason(), v1::REASON_TOKEN_INVALID);
  EXPECT_EQ(host_.entered, 1) << "the fixture's";
  EXPECT_FALSE(other.is_authenticated());
  EXPECT_THAT(host_.refusals, ElementsAre(v1::REASON_TOKEN_INVALID));
}

TEST_F(ConnectionTest, LeavesOnlyWhatItEntered) {
  { Connection never(host_, wire_, transport_, encoder_); }
  EXPECT_EQ(host_.left, 0);

  connection_.reset();
  EXPECT_EQ(host_.left, 1);
}

TEST_F(ConnectionTest, SaysWhoItIsWhenAdmitted) {
  connection_->Admit(513, "e-513");

  EXPECT_THAT(wire_.said, ElementsAre("connected e-513 ann"));
}

TEST_F(ConnectionTest, EndsWithItsTokenAndAGrace) {
  Connection other(host_, wire_, transport_, encoder_);
  ASSERT_FALSE(other.Authenticate(Token(100)));
  const auto now = std::chrono::steady_clock::now();

  EXPECT_FALSE(other.IsTokenOver(now + std::chrono::seconds(120)));
  EXPECT_TRUE(other.IsTokenOver(now + std::chrono::seconds(126)));
}

TEST_F(ConnectionTest, ForwardsACommandUnderItsNumber) {
  connection_->Ask(Post(), 7);

  ASSERT_EQ(host_.forwarded.size(), 1u);
  EXPECT_EQ(host_.forwarded[0].first.connection(), 513u);
  EXPECT_TRUE(host_.forwarded[0].first.has_post_message());
  EXPECT_EQ(host_.forwarded[0].second, 7u);
  EXPECT_THAT(wire_.said, IsEmpty());
}

TEST_F(ConnectionTest, TellsTheResult) {
  connection_->OnResult(Post(), 7, v1::Result());
  connection_->OnResult(Post(), 8, Refused(v1::REASON_NOT_A_MEMBER));

  EXPECT_THAT(wire_.said, ElementsAre("result 7", "refusal 8 NOT_A_MEMBER"));
}

TEST_F(ConnectionTest, TellsWhatStandsInForAResult) {
  connection_->OnExpired(Post(), 7, MakeError(v1::REASON_OUTCOME_UNKNOWN, ""));

  EXPECT_THAT(wire_.said, ElementsAre("refusal 7 OUTCOME_UNKNOWN"));
}

TEST_F(ConnectionTest, RefusesWhenTooMuchIsWaiting) {
  host_.is_full = true;

  connection_->Ask(Post(), 7);

  EXPECT_THAT(wire_.said, ElementsAre("refusal 7 UNAVAILABLE"));
  EXPECT_GT(wire_.last_error.retry_after_ms(), 0u);
}

TEST_F(ConnectionTest, LimitsFrames) {
  host_.connection_limits.frames = {1, 2};
  for (uint64_t i = 1; i <= 3; ++i) connection_->Ask(History(), i);

  EXPECT_EQ(host_.forwarded.size(), 2u);
  EXPECT_THAT(wire_.said, ElementsAre("refusal 3 RATE_LIMITED"));
  EXPECT_GT(wire_.last_error.retry_after_ms(), 0u);
}

TEST_F(ConnectionTest, LimitsSendsApartFromOtherCommands) {
  host_.connection_limits.sends = {1, 1};

  connection_->Ask(Post(), 1);
  connection_->Ask(Post(), 2);
  connection_->Ask(History(), 3);

  EXPECT_THAT(wire_.said, ElementsAre("refusal 2 RATE_LIMITED"));
  EXPECT_EQ(host_.forwarded.size(), 2u);
}

TEST_F(ConnectionTest, LimitsJoinsApartFromOtherCommands) {
  host_.connection_limits.joins = {1, 1};

  connection_->Ask(Join("a"), 1);
  connection_->Ask(Join("b"), 2);
  connection_->Ask(History(), 3);

  EXPECT_THAT(wire_.said, ElementsAre("refusal 2 RATE_LIMITED"));
}

TEST_F(ConnectionTest, LimitsTheRoomsOfAConnection) {
  host_.connection_limits.rooms = 2;
  connection_->subscriptions.resize(2);

  connection_->Ask(Join("r"), 1);
  connection_->Ask(History(), 2);

  EXPECT_THAT(wire_.said, ElementsAre("refusal 1 LIMIT_REACHED"));
  EXPECT_EQ(host_.forwarded.size(), 1u);
}

TEST_F(ConnectionTest, GoesLiveAtOnceWithoutAPosition) {
  connection_->Ask(Join("r"), 1);

  EXPECT_EQ(connection_->OnSubscribed("r", 10, true), std::nullopt);
  connection_->OnResult(Join("r"), 1, Joined(10));

  EXPECT_THAT(wire_.said, ElementsAre("result 1"));
  EXPECT_EQ(CountPages(), 0u);
}

TEST_F(ConnectionTest, ReadsNothingBeforeTheJoinIsAnswered) {
  connection_->Ask(Join("r", 4), 1);

  EXPECT_EQ(connection_->OnSubscribed("r", 10, true), 4);
  connection_->Replay();

  EXPECT_EQ(CountPages(), 0u);
}

TEST_F(ConnectionTest, AnswersFirstThenReplaysThenGoesLive) {
  JoinBehind(4, 7);
  EXPECT_THAT(wire_.said, ElementsAre("result 1"));
  EXPECT_THAT(transport_.sent, IsEmpty());

  AnswerPage(4, Page(5, 7, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:5", "0:6", "0:7"));
  EXPECT_THAT(host_.live, ElementsAre("r behind 7"));
  EXPECT_EQ(CountPages(), 1u);
}

TEST_F(ConnectionTest, AsksForPagesUntilItMeetsTheLivePosition) {
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

TEST_F(ConnectionTest, GoesLiveBehindWhatAPageHadMoreThanTheHub) {
  JoinBehind(4, 6);

  AnswerPage(4, Page(5, 8, false));

  EXPECT_THAT(host_.live, ElementsAre("r behind 8")) << "or 7 and 8 would come twice";
}

TEST_F(ConnectionTest, AsksForNothingWhenNothingWasMissed) {
  JoinBehind(7, 7);

  EXPECT_EQ(CountPages(), 0u);
  EXPECT_THAT(host_.live, ElementsAre("r behind 7"));
}

TEST_F(ConnectionTest, WaitsForRoomInTheOutbox) {
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

TEST_F(ConnectionTest, HandsOverNoEventTwice) {
  JoinBehind(4, 7);

  AnswerPage(4, Page(3, 7, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:5", "0:6", "0:7"));
}

TEST_F(ConnectionTest, AsksAgainLaterWhenAPageIsNotToBeHad) {
  JoinBehind(4, 5);

  AnswerPage(4, Refused(v1::REASON_UNAVAILABLE));
  EXPECT_EQ(host_.later, 1);
  EXPECT_EQ(CountPages(), 1u);

  connection_->Replay();
  EXPECT_EQ(CountPages(), 2u);
  AnswerPage(4, Page(5, 5, false));
  EXPECT_THAT(host_.live, ElementsAre("r behind 5"));
}

TEST_F(ConnectionTest, AsksAgainLaterWhenAPageDidNotComeInTime) {
  JoinBehind(4, 5);

  connection_->OnExpired(host_.forwarded.back().first, std::nullopt,
                         MakeError(v1::REASON_UNAVAILABLE, ""));

  EXPECT_EQ(host_.later, 1);
  EXPECT_THAT(wire_.said, ElementsAre("result 1")) << "the client asked for no page";
}

TEST_F(ConnectionTest, AsksAgainLaterWhenTheHostIsFull) {
  connection_->Ask(Join("r", 4), 1);
  connection_->OnSubscribed("r", 5, true);
  host_.position = 5;
  host_.is_full = true;

  connection_->OnResult(Join("r", 4), 1, Joined(5));

  EXPECT_EQ(host_.later, 1);
}

TEST_F(ConnectionTest, ClosesForResumeWhenTheLogIsGone) {
  JoinBehind(4, 9);

  AnswerPage(4, Refused(v1::REASON_RESYNC));

  EXPECT_EQ(wire_.shut, CloseReason::kSlowReader);
}

TEST_F(ConnectionTest, ClosesRatherThanLeaveAHole) {
  JoinBehind(4, 9);

  AnswerPage(4, Page(7, 9, false));

  EXPECT_EQ(wire_.shut, CloseReason::kSlowReader);
  EXPECT_THAT(transport_.sent, IsEmpty());
}

TEST_F(ConnectionTest, LeavesARoomWhoseReplayIsRefused) {
  JoinBehind(4, 9);

  AnswerPage(4, Refused(v1::REASON_NOT_A_MEMBER));

  EXPECT_THAT(host_.unsubscribed, ElementsAre("r"));
  connection_->Replay();
  EXPECT_EQ(CountPages(), 1u);
}

TEST_F(ConnectionTest, ReplaysNothingForARefusedJoin) {
  connection_->Ask(Join("r", 4), 1);

  connection_->OnResult(Join("r", 4), 1, Refused(v1::REASON_RESYNC));
  connection_->Replay();

  EXPECT_EQ(CountPages(), 0u);
  EXPECT_EQ(connection_->OnSubscribed("r", 9, true), std::nullopt) << "the join is over";
}

TEST_F(ConnectionTest, ReplaysUpToTheEventThatEndedTheSubscription) {
  JoinBehind(4, 9);

  connection_->OnUnsubscribed("r", 7);
  host_.position = std::nullopt;
  AnswerPage(4, Page(5, 9, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:5", "0:6", "0:7"));
  EXPECT_THAT(host_.live, IsEmpty());
  connection_->Replay();
  EXPECT_EQ(CountPages(), 1u);
}

TEST_F(ConnectionTest, StopsAtOnceWhenNothingOfTheRoomIsLeftForIt) {
  JoinBehind(4, 9);

  connection_->OnUnsubscribed("r", 0);
  AnswerPage(4, Page(5, 9, false));

  EXPECT_THAT(transport_.sent, IsEmpty());
  EXPECT_THAT(host_.live, IsEmpty());
}

TEST_F(ConnectionTest, GivesNothingOfTheRoomAfterTheAnswerToLeaveRoom) {
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

TEST_F(ConnectionTest, IsNoSubscriberAfterAJoinThatCameToNothing) {
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

TEST_F(ConnectionTest, KnowsWhichRoomsItIsJoining) {
  EXPECT_FALSE(connection_->IsJoining("r"));

  connection_->Ask(Join("r"), 1);
  EXPECT_TRUE(connection_->IsJoining("r"));
  EXPECT_FALSE(connection_->IsJoining("s"));

  connection_->OnExpired(Join("r"), 1, MakeError(v1::REASON_UNAVAILABLE, ""));
  EXPECT_FALSE(connection_->IsJoining("r")) << "a Subscribe that comes now is too late";
  EXPECT_THAT(host_.unsubscribed, IsEmpty());
}

TEST_F(ConnectionTest, IsNotJoiningWhatCouldNotBeAsked) {
  host_.is_full = true;

  connection_->Ask(Join("r"), 1);

  EXPECT_FALSE(connection_->IsJoining("r"));
}

TEST_F(ConnectionTest, StaysASubscriberWhenAnotherJoinIsStillUnderWay) {
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

TEST_F(ConnectionTest, LeavesWhenTheLastOfSeveralJoinsCameToNothing) {
  connection_->Ask(Join("r", 4), 1);
  connection_->Ask(Join("r", 4), 2);
  connection_->OnSubscribed("r", 6, true);

  connection_->OnExpired(Join("r", 4), 1, MakeError(v1::REASON_UNAVAILABLE, ""));
  connection_->OnExpired(Join("r", 4), 2, MakeError(v1::REASON_UNAVAILABLE, ""));

  EXPECT_THAT(host_.unsubscribed, ElementsAre("r"));
}

TEST_F(ConnectionTest, GoesOnReplayingWhenASecondJoinIsRefused) {
  JoinBehind(4, 7);
  connection_->Ask(Join("r", 99), 2);

  connection_->OnResult(Join("r", 99), 2, Refused(v1::REASON_RESYNC));
  AnswerPage(4, Page(5, 7, false));

  EXPECT_THAT(transport_.sent, ElementsAre("0:5", "0:6", "0:7"));
  EXPECT_THAT(host_.live, ElementsAre("r behind 7"));
}

TEST_F(ConnectionTest, ReadsAgainForALiveSubscriberThatAsksForMore) {
  JoinBehind(4, 4);
  host_.live.clear();
  host_.position = 6;  // 5 and 6 were delivered live.
  connection_->Ask(Join("r", 2), 2);

  EXPECT_EQ(connection_->OnSubscribed("r", 4, false), 2);
  connection_->OnResult(Join("r", 2), 2, Joined(6));
  AnswerPage(2, Page(3, 6, false));

  EXPECT_THAT(host_.live, ElementsAre("r behind 6"));
}

TEST_F(ConnectionTest, MissesNothingWhenALiveSubscriberAsksForMoreInVain) {
  JoinBehind(4, 4);
  host_.live.clear();
  host_.position = 6;
  connection_->Ask(Join("r", 2), 2);
  ASSERT_EQ(connection_->OnSubscribed("r", 4, false), 2);  // Live events are held back from here.

  connection_->OnExpired(Join("r", 2), 2, MakeError(v1::REASON_UNAVAILABLE, ""));
  EXPECT_THAT(host_.unsubscribed, IsEmpty());
  EXPECT_THAT(host_.live, ElementsAre("r behind 6"));
}

TEST_F(ConnectionTest, ReadsWhatWasHeldBackFromALiveSubscriberInVain) {
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

TEST_F(ConnectionTest, LeavesWhatWasHeldBackToAnotherJoin) {
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

TEST_F(ConnectionTest, KeepsLiveEventsBackWhenASubscriberInReplayJoinsAgain) {
  JoinBehind(4, 7);
  connection_->Ask(Join("r"), 2);

  EXPECT_NE(connection_->OnSubscribed("r", 4, false), std::nullopt);
}

TEST_F(ConnectionTest, BeginsAnewWhenItIsSubscribedAnew) {
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

TEST_F(ConnectionTest, BeginsAnewWhenARunningReplayLostItsSubscription) {
  JoinBehind(4, 7);
  connection_->Ask(Join("r", 6), 2);

  EXPECT_EQ(connection_->OnSubscribed("r", 9, true), 6) << "the hub knew of no subscription";
}

TEST_F(ConnectionTest, ReadsNothingAgainForALiveSubscriberThatHasEverything) {
  JoinBehind(4, 4);
  connection_->Ask(Join("r", 4), 2);

  EXPECT_EQ(connection_->OnSubscribed("r", 4, false), std::nullopt);
}

TEST_F(ConnectionTest, ReplaysSeveralRoomsAtOnce) {
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
