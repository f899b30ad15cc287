// watchdog.h: shuts a socket down when the wait on it passes its limit.
// A stopped server never answers and never closes; libpq would wait for ever.
// Owns: one thread.   Used by: postgres_connection.
// Threads: any thread (guarded by mu_).
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <thread>

#include "process/mutex.h"

namespace confab::storage {

class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;

  // A wait; it is over when the guard ends. The socket must stay open until then.
  class Guard {
   public:
    Guard(Watchdog& watchdog, int socket, Clock::duration limit);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    // The limit counts from now on again.
    void Restart();
    // True: the socket was shut down.
    bool has_fired() const;

   private:
    friend class Watchdog;
    Watchdog& watchdog_;
    const int socket_;
    const Clock::duration limit_;
    bool has_fired_ = false;                                  // Guarded by watchdog_.mu_.
    std::multimap<Clock::time_point, Guard*>::iterator due_;  // Likewise.
  };

  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void Add(Guard& guard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Remove(Guard& guard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Run();

  process::Mutex mu_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, Guard*> due_ ABSL_GUARDED_BY(mu_);
  // When the thread looks next. It is not woken for what is due later than that, so a statement
  // that ends in time costs no switch of threads.
  Clock::time_point wakes_at_ ABSL_GUARDED_BY(mu_) = Clock::time_point::max();
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // Last: it uses the others.
};

}  // namespace confab::storage
