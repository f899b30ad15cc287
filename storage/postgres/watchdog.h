// watchdog.h: shuts a socket down when the wait on it passes its limit.
// A stopped server never answers and never closes; libpq would wait for ever.
// A wait is one number that its session keeps and the thread looks at; the thread is woken only for
// what is due before it would look next, so a statement that ends in time takes no lock and costs no
// switch of threads. Measured by database/guard.
// Owns: one thread.   Used by: postgres_connection.
// Threads: any thread; each session is its owner's.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <thread>
#include <vector>

#include "process/mutex.h"

namespace confab::storage {

class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;

  // A socket that may be waited on. It stays open, and the watchdog lives, until the session ends.
  // Threads: confined to whoever waits.
  class Session {
   public:
    Session(Watchdog& watchdog, int socket);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

   private:
    friend class Watchdog;
    Watchdog& watchdog_;
    const int socket_;
    // When the wait is over, kNothing without one. Only the thread makes it kFired.
    std::atomic<Clock::rep> due_{kNothing};
  };

  // A wait; it is over when the guard ends. One at a time of a session.
  class Guard {
   public:
    Guard(Session& session, Clock::duration limit);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    // The limit counts from now on again.
    void Restart();
    // True: the socket was shut down.
    bool has_fired() const { return session_.due_ == kFired; }

   private:
    Session& session_;
    const Clock::duration limit_;
  };

  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  static constexpr Clock::rep kNothing = std::numeric_limits<Clock::rep>::max();
  static constexpr Clock::rep kFired = kNothing - 1;

  static Clock::rep In(Clock::duration limit) {
    return (Clock::now() + limit).time_since_epoch().count();
  }
  // The thread looks no later than that.
  void LookBy(Clock::rep due);
  void Run();
  // Answers when the first of the others is due.
  Clock::rep FireWhatIsDue(Clock::rep now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  process::Mutex mu_;
  std::condition_variable changed_;
  std::vector<Session*> sessions_ ABSL_GUARDED_BY(mu_);
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;
  // When the thread looks next.
  std::atomic<Clock::rep> looks_at_{kNothing};
  std::thread thread_;  // Last: it uses the others.
};

}  // namespace confab::storage
