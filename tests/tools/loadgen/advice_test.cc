#include "tools/loadgen/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

using testing::HasSubstr;

TEST(Advice, NamesTheOptionOfTheLimitThatWasHit) {
  EXPECT_THAT(AdviceOn("RATE_LIMITED", "more than 10 messages of a user a second, or 30 at once"),
              HasSubstr("--rate-sends off"));
  EXPECT_THAT(AdviceOn("RATE_LIMITED", "more than 5 joins a second, or 50 at once"),
              HasSubstr("--rate-joins off"));
  EXPECT_THAT(AdviceOn("RATE_LIMITED", "more than 50 commands a second, or 200 at once"),
              HasSubstr("--rate-frames off"));
  EXPECT_THAT(AdviceOn("", "more than 20 new sessions a second from this address, or 100 at once"),
              HasSubstr("--rate-new-connections off"));
  EXPECT_THAT(AdviceOn("", "100 sessions are open from this address"),
              HasSubstr("--connections-per-address off"));
  EXPECT_THAT(AdviceOn("", "more than 10 refused tokens a minute from this address"),
              HasSubstr("wait a minute"));
  EXPECT_THAT(AdviceOn("REPLACED", ""), HasSubstr("--connections-per-user off"));
  EXPECT_THAT(AdviceOn("RATE_LIMITED", "something new"), HasSubstr("--rate-sends off"));
}

TEST(Advice, IsNoneWhereThereIsNone) {
  EXPECT_EQ(AdviceOn("", ""), "");
  EXPECT_EQ(AdviceOn("INTERNAL", "oh"), "");
}

}  // namespace
}  // namespace confab::loadgen
