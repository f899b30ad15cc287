// The way of a batch through the commit queue: to the committer's thread, to a store that answers at
// once, and back.
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "control/room/commit_queue.h"
#include "process/metrics.h"
#include "storage/store.h"
#include "tests/bench/control_benches.h"
#include "tests/bench/sample_batch.h"
#include "tests/fakes/memory_store.h"

namespace confab::control {

namespace {

using benchmark::State;
using storage::RoomId;
using storage::UserId;
using tests::Require;

absl::Status NotAsked() { return absl::InternalError("no benchmark asks for it"); }

// Answers every message as stored.
class AnsweringWriter final : public storage::StoreWriter {
 public:
  absl::StatusOr<std::vector<storage::AppendOutcome>> Append(storage::AppendBatch batch) override {
    std::vector<storage::AppendOutcome> outcomes(batch.size());
    for (auto& outcome : outcomes) outcome.kind = storage::AppendOutcome::Kind::kStored;
    return outcomes;
  }
  absl::StatusOr<storage::RoomRecord> CreateRoom(const storage::NewRoom&) override {
    return NotAsked();
  }
  absl::StatusOr<std::vector<storage::InboxOutcome>> WriteInboxes(
      absl::Span<const storage::InboxWrite>) override {
    return NotAsked();
  }
  absl::Status SetFeedCursor(const storage::FeedCursor&) override { return NotAsked(); }
  absl::Status DeleteFeedCursor(const std::string&) override { return NotAsked(); }
  absl::Status DeleteRoom(const RoomId&, const storage::AuditRecord*) override {
    return NotAsked();
  }
  absl::Status WriteAudit(absl::Span<const storage::AuditRecord>) override { return NotAsked(); }
  absl::StatusOr<std::vector<storage::PointerOutcome>> MovePointers(
      absl::Span<const storage::PointerMove>) override {
    return NotAsked();
  }
  absl::StatusOr<storage::PointerRepair> RepairPointers(absl::Duration,
                                                        const storage::PointerRepair&,
                                                        int32_t) override {
    storage::PointerRepair repair;
    repair.is_done = true;
    return repair;
  }
  absl::Status SetRetention(const RoomId&, const storage::Retention&,
                            const storage::AuditRecord*) override {
    return NotAsked();
  }
  absl::StatusOr<storage::TrimStep> Trim(const RoomId&, int32_t) override { return NotAsked(); }
  absl::StatusOr<storage::EraseStep> Erase(const RoomId&, const UserId&, int64_t,
                                           int32_t) override {
    return NotAsked();
  }
};

class AnsweringStore final : public storage::MemoryStore {
 public:
  absl::StatusOr<std::unique_ptr<storage::StoreWriter>> OpenWriter() override {
    return std::make_unique<AnsweringWriter>();
  }
};

// So many jobs that go round.
class Round {
 public:
  explicit Round(int size) {
    SampleBatch batch(size);
    for (const storage::AppendRequest& request : batch.Next()) {
      auto& job = jobs_.emplace_back(std::make_unique<CommitJob>());
      job->append = request;
      job->deadline = std::chrono::steady_clock::time_point::max();
    }
    queue_.Start(store_);
  }
  ~Round() { queue_.Stop(); }

  void Go() {
    const size_t size = jobs_.size();
    CommitQueue::Jobs pushed;
    pushed.swap(jobs_);
    queue_.Push(pushed);
    std::unique_lock lock(mu_);
    answered_.wait(lock, [&] { return jobs_.size() == size; });
    Require(jobs_.front()->outcome.kind == storage::AppendOutcome::Kind::kStored,
            "a message was not stored");
  }

 private:
  void Take(CommitQueue::Jobs jobs) {
    const std::lock_guard lock(mu_);
    for (auto& job : jobs) jobs_.push_back(std::move(job));
    answered_.notify_one();
  }

  process::Metrics metrics_;
  AnsweringStore store_;
  std::mutex mu_;
  std::condition_variable answered_;
  CommitQueue::Jobs jobs_;  // Guarded by mu_ while they are under way.
  CommitQueue queue_{metrics_, 1, [this](size_t, CommitQueue::Jobs jobs) { Take(std::move(jobs)); },
                     [](const absl::Status&) {}};
};

void Commit(State& state, int size) {
  Round round(size);
  for (auto _ : state) round.Go();
}

}  // namespace

void AddQueueBenches(tests::BenchList& list) {
  for (const int size : {1, 8, 64}) {
    list.Add({"queue/commit/" + std::to_string(size), "message", size, 640 / size,
              [size](State& state) { Commit(state, size); }});
  }
}

}  // namespace confab::control
