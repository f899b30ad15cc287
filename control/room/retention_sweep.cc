#include "control/room/retention_sweep.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "process/log.h"

namespace confab::control {

using storage::RoomId;

namespace {

// A step waits for the batches before it; more than that and the database is away.
constexpr auto kStepDeadline = std::chrono::seconds(10);

}  // namespace

void RetentionSweep::WaitForRound() {
  last_ = RoomId();
  tools_.lane.Delay(round_, [this] { ReadRooms(); });
}

void RetentionSweep::ReadRooms() {
  ReadStore(
      tools_,
      [after = last_](storage::Store& store) { return store.ListRetained(after, kPageRooms); },
      [this](absl::StatusOr<std::vector<RoomId>> rooms) { OnRooms(std::move(rooms)); });
}

void RetentionSweep::OnRooms(absl::StatusOr<std::vector<RoomId>> rooms) {
  if (tools_.is_stopping) return;
  if (!rooms.ok() || rooms->empty()) return WaitForRound();
  last_ = rooms->back();
  rooms_.assign(rooms->begin(), rooms->end());
  Step();
}

void RetentionSweep::Step() {
  if (rooms_.empty()) return ReadRooms();
  step_began_ = std::chrono::steady_clock::now();
  auto job = std::make_unique<UpkeepJob>(CommitJob::Kind::kTrim, rooms_.front(),
                                         [this](UpkeepJob& done) { OnStep(done); });
  job->lane = tools_.lane_index;
  job->deadline = step_began_ + kStepDeadline;
  tools_.commits.push_back(std::move(job));
}

void RetentionSweep::OnStep(const UpkeepJob& job) {
  if (tools_.is_stopping) return;
  if (!job.status.ok() && !absl::IsNotFound(job.status)) {
    process::LogWarn("retention was not applied; trying again at the next round",
                     {{"room", job.append.room.value}, {"status", job.status.ToString()}});
  }
  if (!job.status.ok() || job.trim.is_done) rooms_.pop_front();
  const absl::Duration took = absl::FromChrono(std::chrono::steady_clock::now() - step_began_);
  tools_.lane.Delay(std::max(took * kPauseFactor, kPauseMin), [this] { Step(); });
}

}  // namespace confab::control
