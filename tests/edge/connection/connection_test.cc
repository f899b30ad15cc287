#include "edge/connection/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/reason.h"
#include "tests/edge/connection/connection_fixture.h"

namespace confab::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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

TEST_F(ConnectionTest, TakesNoCommandsAtItsEndAndWaitsForThoseUnderWay) {
  connection_->Ask(Post(), 1);
  connection_->Ask(Join("r"), 2);

  EXPECT_FALSE(connection_->EndCommands());
  connection_->Ask(Post(), 3);
  connection_->OnExpired(Post(), 1, MakeError(v1::REASON_OUTCOME_UNKNOWN, "late"));
  EXPECT_THAT(wire_.said, ElementsAre("refusal 3 UNAVAILABLE", "refusal 1 OUTCOME_UNKNOWN"));
  connection_->OnResult(Join("r"), 2, Joined(5));

  EXPECT_THAT(wire_.said, ElementsAre("refusal 3 UNAVAILABLE", "refusal 1 OUTCOME_UNKNOWN",
                                      "result 2", "all answered"));
  EXPECT_EQ(host_.forwarded.size(), 2u);
}

TEST_F(ConnectionTest, IsAtItsEndAtOnceWhereNothingIsUnderWay) {
  host_.is_full = true;
  connection_->Ask(Post(), 1);
  host_.is_full = false;
  connection_->Ask(Post(), 2);
  connection_->OnResult(Post(), 2, Refused(v1::REASON_NOT_A_MEMBER));
  wire_.said.clear();

  EXPECT_TRUE(connection_->EndCommands());
  EXPECT_THAT(wire_.said, IsEmpty());
}

// How far a token's life has come, seen from when it was shown.
class TokenOfAConnection : public ConnectionTest {
 protected:
  TokenOfAConnection() {
    EXPECT_FALSE(fresh_.Authenticate(Token(100)));
    fresh_.Admit(514, "e-514");
    wire_.said.clear();
  }
  // So many seconds from now; the seconds of a token are whole ones.
  void CheckAfter(int seconds) { fresh_.CheckToken(start_ + std::chrono::seconds(seconds)); }
  void Refresh(const std::string& token) {
    v1::Command command;
    command.mutable_refresh_token()->set_token(token);
    fresh_.Ask(std::move(command), 7);
  }

  Connection fresh_{host_, wire_, transport_, encoder_};
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST_F(TokenOfAConnection, IsAnnouncedToExpireOnce) {
  CheckAfter(38);
  EXPECT_THAT(wire_.said, IsEmpty());

  CheckAfter(41);
  CheckAfter(42);

  EXPECT_THAT(wire_.said, ElementsAre("expiring"));
  EXPECT_NEAR(static_cast<double>(wire_.last_expiring.expires_at().seconds()),
              static_cast<double>(absl::ToUnixSeconds(absl::Now()) + 100), 2);
}

TEST_F(TokenOfAConnection, EndsItAfterTheGrace) {
  CheckAfter(41);
  CheckAfter(120);
  EXPECT_FALSE(wire_.shut);

  CheckAfter(126);

  EXPECT_EQ(wire_.shut, CloseReason::kTokenExpired);
}

TEST_F(TokenOfAConnection, IsRenewedByOneOfTheSameUser) {
  CheckAfter(41);

  Refresh(Token(1'000));
  CheckAfter(126);
  EXPECT_FALSE(wire_.shut);
  CheckAfter(941);

  EXPECT_THAT(wire_.said, ElementsAre("expiring", "renewed", "result 7", "expiring"));
  EXPECT_TRUE(host_.forwarded.empty()) << "control has nothing to do with it";
  CheckAfter(1'026);
  EXPECT_EQ(wire_.shut, CloseReason::kTokenExpired);
}

TEST_F(TokenOfAConnection, MayBeRenewedByAShorterOne) {
  Refresh(Token(10));

  CheckAfter(36);

  EXPECT_EQ(wire_.shut, CloseReason::kTokenExpired);
}

TEST_F(TokenOfAConnection, IsNotRenewedByABadOneOrAnothers) {
  Refresh("garbage");
  Refresh(Token(-100));
  Refresh("");
  Refresh(Token(1'000, "bob"));

  EXPECT_THAT(wire_.said, ElementsAre("refusal 7 TOKEN_INVALID", "refusal 7 TOKEN_EXPIRED",
                                      "refusal 7 TOKEN_MISSING", "refusal 7 TOKEN_INVALID"));
  EXPECT_THAT(wire_.last_error.message(), testing::HasSubstr("another user's"));
  EXPECT_EQ(fresh_.user_id(), "ann");
  EXPECT_FALSE(wire_.shut);
  CheckAfter(126);
  EXPECT_EQ(wire_.shut, CloseReason::kTokenExpired);
}

TEST_F(TokenOfAConnection, EndsItWhileItWaitsForControlToo) {
  Connection waiting(host_, wire_, transport_, encoder_);
  ASSERT_FALSE(waiting.Authenticate(Token(10)));
  const auto at = [&](int seconds) { waiting.CheckToken(start_ + std::chrono::seconds(seconds)); };

  at(1);
  EXPECT_THAT(wire_.said, IsEmpty()) << "it was not told yet that it is connected";
  at(36);

  EXPECT_EQ(wire_.shut, CloseReason::kTokenExpired);
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

TEST_F(ConnectionTest, CountsWhatNeverBecameACommandAgainstTheFrameRate) {
  host_.connection_limits.frames = {1, 2};
  const v1::Error error = MakeError(v1::REASON_UNKNOWN_COMMAND, "no such event");

  for (int i = 0; i < 3; ++i) connection_->RefuseFrame(v1::Command(), std::nullopt, error);

  EXPECT_THAT(host_.refusals, ElementsAre(v1::REASON_UNKNOWN_COMMAND, v1::REASON_UNKNOWN_COMMAND,
                                          v1::REASON_RATE_LIMITED));
}

TEST_F(ConnectionTest, ClosesWhoGoesOnAtTwiceTheFrameRate) {
  host_.connection_limits.frames = {1, 2};
  for (uint64_t i = 1; i <= 4; ++i) connection_->Ask(History(), i);
  EXPECT_THAT(wire_.said, ElementsAre("refusal 3 RATE_LIMITED", "refusal 4 RATE_LIMITED"));
  EXPECT_FALSE(wire_.shut.has_value());

  connection_->Ask(History(), 5);

  EXPECT_EQ(wire_.shut, CloseReason::kRateLimited);
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

}  // namespace
}  // namespace confab::edge
