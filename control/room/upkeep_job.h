// upkeep_job.h: a step of removing what is not to be kept, on its way through the commit queue: a
// turn of its own between batches, so that no writer waits for more than one step.
// Threads: values; a job is in one thread's hands at a time.
#pragma once

#include <memory>
#include <utility>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include "control/room/commit_queue.h"
#include "storage/upkeep.h"

namespace confab::control {

// Events that one step looks at: some 2 ms, so that a writer's latency hardly shows it.
inline constexpr int32_t kUpkeepRows = 128;

struct UpkeepJob : CommitJob {
  using Done = absl::AnyInvocable<void(UpkeepJob&)>;

  // `done` is called exactly once, on the job's lane; if the lane has ended before, where the job
  // ends, with UNAVAILABLE.
  UpkeepJob(Kind what, storage::RoomId room, Done done) : done_(std::move(done)) {
    kind = what;
    append.room = std::move(room);
    is_command = false;
  }
  ~UpkeepJob() override {
    if (done_ == nullptr) return;
    status = absl::UnavailableError("control is stopping");
    Answer();
  }

  void Answer() override { std::exchange(done_, nullptr)(*this); }

  storage::Retention retention;  // kSetRetention
  storage::UserId user;          // kErase
  int64_t after_seq = 0;         // kErase

  // The answer, with a status that is OK.
  storage::TrimStep trim;    // kTrim
  storage::EraseStep erase;  // kErase

 private:
  Done done_;
};

}  // namespace confab::control
