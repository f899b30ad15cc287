#include "process/failpoint.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::process {
namespace {

using ::testing::AllOf;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
using ::testing::KilledBySignal;

// Whatever a test arms is over with it.
class FailpointTest : public ::testing::Test {
 protected:
  ~FailpointTest() override { static_cast<void>(ArmFailpoints("")); }
};

std::chrono::steady_clock::duration TimeOf(Failpoint point) {
  const auto start = std::chrono::steady_clock::now();
  PassFailpoint(point);
  return std::chrono::steady_clock::now() - start;
}

void PassTimes(Failpoint point, int times) {
  for (int i = 0; i < times; ++i) PassFailpoint(point);
}

TEST_F(FailpointTest, KillsTheProcessAtTheNthPassage) {
  const auto pass = [](int times) {
    EXPECT_TRUE(ArmFailpoints("publish.before=kill;commit.done=kill@3").ok());
    PassTimes(Failpoint::kCommitDone, times);
    std::_Exit(0);
  };

  EXPECT_EXIT(pass(2), ExitedWithCode(0), "");
  EXPECT_EXIT(pass(3), KilledBySignal(SIGKILL), "failpoint commit.done: killed");
}

TEST_F(FailpointTest, WaitsOnceAndThereOnly) {
  constexpr std::chrono::milliseconds kWait(200);
  ASSERT_TRUE(ArmFailpoints("link.write=wait:200ms@2").ok());

  PassTimes(Failpoint::kEdgeDeliver, 5);
  EXPECT_LT(TimeOf(Failpoint::kLinkWrite), kWait);
  EXPECT_GE(TimeOf(Failpoint::kLinkWrite), kWait);
  EXPECT_LT(TimeOf(Failpoint::kLinkWrite), kWait);
}

TEST_F(FailpointTest, StrikesNoMoreOnceItIsDisarmed) {
  ASSERT_TRUE(ArmFailpoints("commit.before=kill").ok());
  ASSERT_TRUE(ArmFailpoints("").ok());

  PassFailpoint(Failpoint::kCommitBefore);
}

TEST_F(FailpointTest, KnowsEachPointByItsName) {
  for (const std::string_view name : kFailpointNames) {
    EXPECT_TRUE(ArmFailpoints(std::string(name) + "=wait:1ms").ok()) << name;
  }
  EXPECT_EQ(static_cast<std::size_t>(Failpoint::kEdgeDeliver) + 1, kFailpoints);
}

TEST_F(FailpointTest, SaysWhatIsWrongAndArmsNothing) {
  const std::pair<std::string, std::string> faults[] = {
      {"commit.dnoe=kill", "there is no point \"commit.dnoe\", but commit.before, commit.done, "},
      {"commit.done", "write POINT=kill or POINT=wait:TIME"},
      {"commit.done=die", "write POINT=kill or POINT=wait:TIME"},
      {"commit.done=kill;", "\"\": write POINT=kill"},
      {"commit.done=kill@0", "a whole number from 1 on"},
      {"commit.done=kill@", "a whole number from 1 on"},
      {"commit.done=kill@two", "a whole number from 1 on"},
      {"commit.done=wait:", "\"\" is no time"},
      {"commit.done=wait:2", "\"2\" is no time"},
      {"commit.done=wait:-1s", "\"-1s\" is no time"},
      {"commit.done=wait:2h", "\"2h\" is no time up to 1h"},
      {"commit.done=kill;commit.done=wait:1s", "is there already"},
  };
  for (const auto& [text, fault] : faults) {
    const absl::Status status = ArmFailpoints("commit.before=kill;" + text);

    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("CONFAB_FAILPOINTS"), HasSubstr(fault)));
    PassFailpoint(Failpoint::kCommitBefore);
  }
}

}  // namespace
}  // namespace confab::process
