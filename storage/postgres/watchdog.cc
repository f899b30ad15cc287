#include "storage/postgres/watchdog.h"

#include <algorithm>
#include <sys/socket.h>

namespace confab::storage {

Watchdog::Session::Session(Watchdog& watchdog, int socket) : watchdog_(watchdog), socket_(socket) {
  const process::MutexLock lock(watchdog_.mu_);
  watchdog_.sessions_.push_back(this);
}

Watchdog::Session::~Session() {
  const process::MutexLock lock(watchdog_.mu_);
  auto& sessions = watchdog_.sessions_;
  sessions.erase(std::find(sessions.begin(), sessions.end(), this));
}

Watchdog::Guard::Guard(Session& session, Clock::duration limit) : session_(session), limit_(limit) {
  const Clock::rep due = In(limit_);
  session_.due_ = due;
  session_.watchdog_.LookBy(due);
}

Watchdog::Guard::~Guard() {
  if (session_.due_.exchange(kNothing) != kFired) return;
  // The thread may be about to shut the socket down, whose number could be another's afterwards.
  const process::MutexLock lock(session_.watchdog_.mu_);
}

void Watchdog::Guard::Restart() {
  Clock::rep due = session_.due_;
  if (due == kFired) return;
  // Later than before, so the thread looks early enough. It may fire just now: then that holds.
  session_.due_.compare_exchange_strong(due, In(limit_));
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

// Behind the store of what is due, in the one order of all these stores and loads: either the
// thread's look that is under way finds it, or looks_at_ is seen as it was set before that look.
void Watchdog::LookBy(Clock::rep due) {
  if (due >= looks_at_) return;
  const process::MutexLock lock(mu_);
  changed_.notify_one();
}

Watchdog::Clock::rep Watchdog::FireWhatIsDue(Clock::rep now) {
  Clock::rep next = kNothing;
  for (Session* session : sessions_) {
    Clock::rep due = session->due_;
    while (due <= now && !session->due_.compare_exchange_weak(due, kFired)) {
    }
    if (due <= now) {
      // Whoever waits on it reads an end of file. It is closed by its owner only.
      shutdown(session->socket_, SHUT_RDWR);
    } else if (due != kFired) {
      next = std::min(next, due);
    }
  }
  return next;
}

void Watchdog::Run() {
  process::MutexLock lock(mu_);
  while (!is_stopping_) {
    looks_at_ = kNothing;  // Who comes during the look wakes the thread behind it.
    const Clock::rep next = FireWhatIsDue(In(Clock::duration::zero()));
    looks_at_ = next;
    if (next == kNothing) {
      lock.Wait(changed_);
    } else {
      lock.WaitUntil(changed_, Clock::time_point(Clock::duration(next)));
    }
  }
}

}  // namespace confab::storage
