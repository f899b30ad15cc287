#include "tools/loadgen/opening_failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

using testing::HasSubstr;

TEST(OpeningFailure, SaysHowToStartAnEdgeWhereThereIsNone) {
  const Failure socket = FailureOf(
      Ending{.stage = Stage::kConnecting, .status = 0, .reason = "", .what = "Connection refused"},
      "ws://h:1");
  const Failure http = FailureOf(HttpAnswer{.status = 0, .body = "Connection refused"}, "ws://h:1");

  for (const Failure& failure : {socket, http}) {
    EXPECT_EQ(failure.exit, Exit::kUnreachable);
    EXPECT_THAT(failure.text, HasSubstr("ws://h:1 cannot be reached: Connection refused"));
    EXPECT_THAT(failure.text, HasSubstr("tools/up"));
  }
}

TEST(OpeningFailure, SaysWhichSecretATokenNeeds) {
  const Failure socket = FailureOf(Ending{.stage = Stage::kAdmitting,
                                          .status = 0,
                                          .reason = "TOKEN_INVALID",
                                          .what = "the signature is wrong"},
                                   "ws://h:1");
  const Failure http = FailureOf(
      HttpAnswer{.status = 401,
                 .body = R"({"error":{"reason":"TOKEN_INVALID","message":"wrong signature"}})"},
      "ws://h:1");

  for (const Failure& failure : {socket, http}) {
    EXPECT_EQ(failure.exit, Exit::kNotAuthorised);
    EXPECT_THAT(failure.text, HasSubstr("--user-secret-file"));
  }
}

TEST(OpeningFailure, NamesTheLimitOfAnAddress) {
  const Failure failure = FailureOf(
      Ending{.stage = Stage::kUpgrading,
             .status = 429,
             .reason = "",
             .what = "the upgrade was answered with 429 100 sessions are open from this address"},
      "ws://h:1");

  EXPECT_EQ(failure.exit, Exit::kFaults);
  EXPECT_THAT(failure.text, HasSubstr("the WebSocket upgrade failed"));
  EXPECT_THAT(failure.text, HasSubstr("--connections-per-address off"));
}

TEST(OpeningFailure, KnowsWhatIsNoConfab) {
  const Failure failure = FailureOf(HttpAnswer{.status = 404, .body = "<html>"}, "ws://h:1");

  EXPECT_EQ(failure.exit, Exit::kUnreachable);
  EXPECT_THAT(failure.text, HasSubstr("no edge of Confab"));
}

}  // namespace
}  // namespace confab::loadgen
