// read_pool.h: threads for reads that block, so that no lane ever does.
// Owns: its threads and a bounded queue.   Used by: room_lane, dispatcher.
// Threads: any thread (guarded by `mu_`).
// Fails: Run answers false when the queue is full.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <thread>
#include <vector>

#include <absl/functional/any_invocable.h>

#include "process/mutex.h"

namespace confab::control {

class ReadPool {
 public:
  // `is_stopping`: the pool ends; the task must not block, only tell whoever waits for it.
  using Task = absl::AnyInvocable<void(bool is_stopping)>;

  // At 1 ms a read and eight threads what waits is answered within 130 ms.
  static constexpr size_t kQueueLimit = 1024;

  explicit ReadPool(size_t threads, size_t queue_limit = kQueueLimit);
  ~ReadPool();  // Stops.
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  // False: the queue is full or the pool has stopped; `task` is unchanged.
  [[nodiscard]] bool Run(Task&& task);

  // Finishes the reads under way and calls every waiting task with is_stopping.
  void Stop();

 private:
  void Work();

  const size_t queue_limit_;
  process::Mutex mu_;
  std::condition_variable wake_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mu_);
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace confab::control
