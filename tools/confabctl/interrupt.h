// interrupt.h: turns Ctrl-C and TERM into a call, for a verb that runs until it is told to end.
// Owns: a thread that waits for the signals, and this thread's mask.
// Used by: message tail.
// Threads: confined to the verb's; to be made before gRPC starts threads (they inherit the mask).
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <signal.h>
#include <thread>

#include <absl/base/thread_annotations.h>
#include <absl/time/time.h>

#include "process/mutex.h"

namespace confab::ctl {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Calls `stop` when the signal comes, or at once if it came already; null: nothing. Once it
  // returned the previous one is not running and will not be called.
  void Set(std::function<void()> stop);

  bool came() const { return came_.load(); }

  // False if the signal came meanwhile.
  bool Wait(absl::Duration duration);

 private:
  void Listen();

  sigset_t signals_{};
  sigset_t mask_before_{};
  std::atomic<bool> came_{false};
  process::Mutex mu_;
  std::condition_variable changed_;
  std::function<void()> stop_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace confab::ctl
