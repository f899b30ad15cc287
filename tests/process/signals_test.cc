#include "process/signals.h"

#include <cstdlib>
#include <signal.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace confab::process {
namespace {

// Each in a child process: a signal mask is the whole process's.
TEST(SignalsDeathTest, ReturnsSignalsInsteadOfDying) {
  EXPECT_EXIT(
      {
        Signals signals;
        ::kill(::getpid(), SIGHUP);
        const bool reloads = signals.Wait(absl::Seconds(10)) == Signal::kReload;
        ::kill(::getpid(), SIGINT);
        const bool interrupts = signals.Wait() == Signal::kTerminate;
        ::kill(::getpid(), SIGTERM);
        const bool terminates = signals.Wait() == Signal::kTerminate;
        ::raise(SIGPIPE);
        const bool ends = signals.Wait(absl::Milliseconds(1)) == Signal::kNone;
        std::_Exit(reloads && interrupts && terminates && ends ? 7 : 1);
      },
      ::testing::ExitedWithCode(7), "");
}

TEST(SignalsDeathTest, LetsASecondSignalKill) {
  EXPECT_EXIT(
      {
        Signals signals;
        ::kill(::getpid(), SIGTERM);
        signals.Wait();
        signals.LetSecondSignalKill();
        ::kill(::getpid(), SIGTERM);
        std::_Exit(1);
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace confab::process
