#include "process/signals.h"

#include <algorithm>
#include <cerrno>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "process/stopwatch.h"

namespace confab::process {
namespace {

sigset_t Handled() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR1);
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = Handled();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A peer that closed is an error code of write, not the end of the process.
  signal(SIGPIPE, SIG_IGN);  // NOLINT(performance-no-int-to-ptr)
}

Signal Signals::Wait(absl::Duration limit) {
  const sigset_t set = Handled();
  const Stopwatch waited;
  for (;;) {
    int number = 0;
    if (limit == absl::InfiniteDuration()) {
      number = sigwaitinfo(&set, nullptr);
    } else {
      const absl::Duration left = std::max(limit - waited.elapsed(), absl::ZeroDuration());
      const timespec time = absl::ToTimespec(left);
      number = sigtimedwait(&set, nullptr, &time);
      if (number < 0 && errno == EAGAIN) return Signal::kNone;
    }
    if (number == SIGTERM || number == SIGINT) return Signal::kTerminate;
    if (number == SIGHUP) return Signal::kReload;
    if (number == SIGUSR1) return Signal::kWake;
    // EINTR: a debugger or a stop and continue; wait on.
  }
}

void Signals::Wake() { kill(getpid(), SIGUSR1); }

void Signals::LetSecondSignalKill() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace confab::process
