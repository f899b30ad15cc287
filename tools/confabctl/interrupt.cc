#include "tools/confabctl/interrupt.h"

#include <chrono>
#include <utility>

namespace confab::ctl {

Interrupt::Interrupt() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGUSR2);  // From the destructor to the thread.
  pthread_sigmask(SIG_BLOCK, &signals_, &mask_before_);
  thread_ = std::thread([this] { Listen(); });
}

Interrupt::~Interrupt() {
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void Interrupt::Set(std::function<void()> stop) {
  const process::MutexLock lock(mu_);
  stop_ = std::move(stop);
  if (came_ && stop_) stop_();
}

bool Interrupt::Wait(absl::Duration duration) {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(duration);
  process::MutexLock lock(mu_);
  while (!came_) {
    if (!lock.WaitUntil(changed_, until)) break;
  }
  return !came_;
}

void Interrupt::Listen() {
  int signal = 0;
  while (sigwait(&signals_, &signal) == 0 && signal != SIGUSR2) {
    const process::MutexLock lock(mu_);
    came_ = true;
    if (stop_) stop_();
    changed_.notify_all();
  }
}

}  // namespace confab::ctl
