#include "storage/postgres/watchdog.h"

#include <sys/socket.h>

namespace confab::storage {

Watchdog::Guard::Guard(Watchdog& watchdog, int socket, Clock::duration limit)
    : watchdog_(watchdog), socket_(socket), limit_(limit) {
  const process::MutexLock lock(watchdog_.mu_);
  watchdog_.Add(*this);
}

Watchdog::Guard::~Guard() {
  const process::MutexLock lock(watchdog_.mu_);
  watchdog_.Remove(*this);
}

void Watchdog::Guard::Restart() {
  const process::MutexLock lock(watchdog_.mu_);
  if (has_fired_) return;
  watchdog_.Remove(*this);
  watchdog_.Add(*this);
}

bool Watchdog::Guard::has_fired() const {
  const process::MutexLock lock(watchdog_.mu_);
  return has_fired_;
}

Watchdog::Watchdog() : thread_(&Watchdog::Run, this) {}

Watchdog::~Watchdog() {
  {
    const process::MutexLock lock(mu_);
    is_stopping_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

void Watchdog::Add(Guard& guard) {
  guard.due_ = due_.emplace(Clock::now() + guard.limit_, &guard);
  if (guard.due_->first < wakes_at_) {
    wakes_at_ = guard.due_->first;
    changed_.notify_one();
  }
}

void Watchdog::Remove(Guard& guard) {
  if (guard.due_ != due_.end()) due_.erase(guard.due_);
  guard.due_ = due_.end();
}

void Watchdog::Run() {
  process::MutexLock lock(mu_);
  while (!is_stopping_) {
    const auto now = Clock::now();
    while (!due_.empty() && due_.begin()->first <= now) {
      Guard& guard = *due_.begin()->second;
      Remove(guard);
      guard.has_fired_ = true;
      // Whoever waits on it reads an end of file. It is closed by its owner only.
      shutdown(guard.socket_, SHUT_RDWR);
    }
    wakes_at_ = due_.empty() ? Clock::time_point::max() : due_.begin()->first;
    if (wakes_at_ == Clock::time_point::max()) {
      lock.Wait(changed_);
    } else {
      lock.WaitUntil(changed_, wakes_at_);
    }
  }
}

}  // namespace confab::storage
