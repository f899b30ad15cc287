#include "tools/loadgen/loop.h"

#include <csignal>

#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

TEST(Loop, RunsUntilSomethingIsSo) {
  Loop loop;
  int ticks = 0;
  loop.SetTick([&ticks] { ++ticks; });

  EXPECT_TRUE(loop.RunUntil([&ticks] { return ticks == 1; }, absl::Seconds(30)));
  EXPECT_FALSE(loop.RunUntil([] { return false; }, absl::Milliseconds(1)));
  EXPECT_FALSE(loop.is_interrupted());
}

TEST(Loop, EndsItsWaitsWhenItIsInterrupted) {
  Loop loop;
  loop.SetTick([] { raise(SIGTERM); });

  EXPECT_FALSE(loop.RunFor(absl::Seconds(30)));

  EXPECT_TRUE(loop.is_interrupted());
  EXPECT_FALSE(loop.RunFor(absl::Seconds(30))) << "nothing is waited for any more";
}

}  // namespace
}  // namespace confab::loadgen
