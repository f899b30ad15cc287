// read_pool.h: threads for reads that block, so that no lane ever does.
// Owns: its threads and a bounded queue.   Used by: read_gate, dispatcher.
// Threads: any thread (guarded by `mu_`).
// Fails: Run answers false when the queue, or the share of the read in it, is full.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <thread>
#include <vector>

#include <absl/functional/any_invocable.h>

#include "process/mutex.h"

namespace confab::control {

// What a read is for. Under overload those of kNeeded go first and have a quarter of the queue for
// themselves; half of it is out of the reach of pages.
enum class ReadShare {
  kNeeded,  // Rooms, members, presence: nothing works without them.
  kCalls,   // What is asked past the lanes: lists, single records.
  kPages,   // History: whoever wants it can ask again.
};

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

  // False: there is no room for it or the pool has stopped; `task` is unchanged.
  [[nodiscard]] bool Run(Task&& task, ReadShare share);

  // Finishes the reads under way and calls every waiting task with is_stopping.
  void Stop();

 private:
  struct Waiting {
    Task task;
    ReadShare share;
  };

  void Work();
  bool HasRoom(ReadShare share) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Task Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const size_t queue_limit_;
  process::Mutex mu_;
  std::condition_variable wake_;
  std::deque<Task> needed_ ABSL_GUARDED_BY(mu_);
  std::deque<Waiting> others_ ABSL_GUARDED_BY(mu_);
  size_t pages_ ABSL_GUARDED_BY(mu_) = 0;  // Of others_.
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace confab::control
