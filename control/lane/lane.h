// lane.h: single-threaded executor; what belongs to a lane is touched by its thread alone.
// Owns: one thread, a queue of tasks, a heap of delayed tasks.
// Used by: lane_set, room_lane.
// Threads: Post from any thread (guarded by `mu_`); Delay confined to the lane.
// Fails: never. The queue has no limit of its own: everything that posts is limited where it
// starts (commands in flight of an edge, requests of the commit queue, reads of the pool).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <thread>
#include <vector>

#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include "process/mutex.h"

namespace confab::control {

class Lane {
 public:
  using Task = absl::AnyInvocable<void()>;
  using Clock = std::chrono::steady_clock;

  Lane() = default;
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // `turn_end` runs on the lane after each turn, that is after all tasks that were queued when
  // the turn began: what a turn gathers for others is handed over there, at once.
  void Start(Task turn_end);

  // Runs what is queued, what that posts to this lane included, forgets what is delayed, and
  // ends the thread. Later posts are dropped. May be called repeatedly.
  void Stop();

  // Tasks run in the order they came.
  void Post(Task task);

  // Runs `task` after `delay`. REQUIRES: called on the lane.
  void Delay(absl::Duration delay, Task task);

  // When the present turn began; a clock that costs nothing. REQUIRES: called on the lane.
  Clock::time_point now() const { return now_; }

 private:
  struct Delayed {
    Clock::time_point at;
    uint64_t number = 0;  // Equal times run in the order they were given.
    Task task;
  };
  static bool IsLater(const Delayed& a, const Delayed& b);

  void Run();
  void TakeDue();

  std::thread thread_;
  Task turn_end_;

  process::Mutex mu_;
  std::condition_variable wake_;
  std::vector<Task> queue_ ABSL_GUARDED_BY(mu_);
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool is_stopped_ ABSL_GUARDED_BY(mu_) = false;

  // Confined to the lane.
  std::vector<Task> turn_;
  std::vector<Delayed> delayed_;  // A heap, soonest first.
  uint64_t delayed_count_ = 0;
  Clock::time_point now_;
};

}  // namespace confab::control
