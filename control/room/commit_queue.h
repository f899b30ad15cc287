// commit_queue.h: group commit; whatever gathered while the last batch was written is the next.
// Owns: the committer thread, the StoreWriter, the jobs that wait.
// Used by: room_lane (Push, At), room_lanes (Start, Stop).
// Threads: any thread (guarded by `mu_`); answers are given on the committer thread.
// Fails: each job is answered exactly once, with the store's status; a late one with UNAVAILABLE.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "control/room/commit_forecast.h"
#include "control/room/commit_job.h"
#include "process/mutex.h"
#include "storage/store.h"

namespace confab::process {
class Histogram;
class Metrics;
}  // namespace confab::process

namespace confab::control {

class CommitQueue {
 public:
  using Jobs = std::vector<std::unique_ptr<CommitJob>>;

  // At 45,000 messages/s (TOOLCHAIN 6) 8,192 are written within 200 ms; what waits longer than
  // that is better told to come again.
  static constexpr size_t kJobsLimit = 8192;
  static constexpr size_t kBytesLimit = 32 * 1024 * 1024;  // 2,000 messages of the largest size.
  // Beyond 512 a batch gains little and holds its locks for longer.
  static constexpr size_t kBatchEventsLimit = 512;
  // What a refused sender is told to wait: about the time to write a full queue.
  static constexpr uint32_t kRetryAfterMs = 200;
  // A sender's read pointer is written once in so long; a process that became active repairs what
  // the former one had held for longer, the commit included.
  static constexpr absl::Duration kOwnPointersDelay = absl::Seconds(5);
  static constexpr absl::Duration kRepairWindow = absl::Seconds(10);
  // Rooms that one step of it looks at while the next batch waits: tens of milliseconds at most.
  static constexpr int32_t kRepairRooms = 256;
  static constexpr auto kBackoffMin = std::chrono::milliseconds(20);
  static constexpr auto kBackoffMax = std::chrono::milliseconds(200);

  // Called on the committer thread, once for each lane and batch.
  using Answer = std::function<void(size_t lane, Jobs jobs)>;

  // `away_after`: CommitForecast's.
  CommitQueue(process::Metrics& metrics, size_t lanes, Answer answer,
              std::function<void(absl::Status)> on_fatal,
              CommitForecast::Duration away_after = CommitForecast::kAwayAfter);
  ~CommitQueue();  // Stops.
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;

  // REQUIRES: the store is active and outlives Stop.
  void Start(storage::Store& store);

  // Takes jobs from the front while there is room, in order; what is not taken stays in `jobs`.
  void Push(Jobs& jobs);

  // What would become of a job that is pushed now. Takes no lock.
  CommitForecast::Outlook At(CommitForecast::Clock::time_point now) const {
    return forecast_.At(now);
  }

  // Finishes the batch under way (gives up at its next failure) and answers the rest as
  // UNAVAILABLE.
  void Stop();

 private:
  enum class Next { kDone, kAgain, kSplit };
  class Backoff;

  void Run();
  Jobs Take();
  void Commit(Jobs jobs);
  void CommitBatch(Jobs jobs, bool maybe_done);
  void CommitAlone(std::unique_ptr<CommitJob> job);
  void CommitPointers(Jobs jobs);
  absl::Status TryBatch(Jobs& jobs);
  absl::Status TryAppend(Jobs& jobs);
  absl::Status TryInboxes(Jobs& jobs);
  absl::Status TryAlone(CommitJob& job);
  absl::Status TryPointers(Jobs& jobs);
  absl::Status TryUpkeep(struct UpkeepJob& job);
  absl::Status EnsureWriter();
  void Reopen();
  void RepairSomePointers();
  void NoteFailure(const absl::Status& status);
  void NoteSuccess();

  void Finish(std::unique_ptr<CommitJob> job, absl::Status status, bool is_unknown = false);
  void FinishAll(Jobs jobs, const absl::Status& status, bool is_unknown);
  void FinishLate(Jobs& jobs);
  void FinishLateInQueue();
  void Flush();
  bool WaitForRetry(std::chrono::milliseconds delay);  // False: stopping.
  bool is_stopping();

  const Answer answer_;
  const std::function<void(absl::Status)> on_fatal_;
  process::Metrics& metrics_;
  process::Histogram& batch_events_;
  process::Histogram& commit_seconds_;
  CommitForecast forecast_;

  process::Mutex mu_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<CommitJob>> queue_ ABSL_GUARDED_BY(mu_);
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;  // Of queue_.
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;

  // Confined to the committer thread.
  storage::Store* store_ = nullptr;
  std::unique_ptr<storage::StoreWriter> writer_;
  std::vector<Jobs> done_;  // By lane.
  bool is_failing_ = false;
  // Once for each time this process becomes active, step by step between the batches.
  storage::PointerRepair repair_;
  bool is_repairing_ = false;  // A step can be made now.
  bool is_fatal_ = false;

  std::thread thread_;
};

}  // namespace confab::control
