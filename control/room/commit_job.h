// commit_job.h: one thing to write, on its way from a lane through the commit queue and back.
// Threads: values; a job is in one thread's hands at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include <absl/status/status.h>

#include "storage/store.h"

namespace confab::control {

struct CommitJob {
  enum class Kind {
    kAppend,
    kInbox,
    kCreateRoom,
    kDeleteRoom,
    kAudit,
    kMovePointers,
    kSetCursor,
    kDeleteCursor,
    kSetRetention,  // These three are UpkeepJobs, and kAudit may be one.
    kTrim,
    kErase,
  };

  virtual ~CommitJob() = default;
  virtual void Answer() {}

  Kind kind = Kind::kAppend;
  size_t lane = 0;  // Where the answer goes.
  std::chrono::steady_clock::time_point deadline;
  storage::AppendRequest append;               // kAppend; of the others only `room`.
  std::unique_ptr<storage::NewRoom> new_room;  // kCreateRoom
  // kAudit; kDeleteRoom, kSetRetention: at most one.
  std::vector<storage::AuditRecord> audits;
  std::vector<storage::PointerMove> moves;      // kMovePointers
  std::unique_ptr<storage::InboxWrite> inbox;   // kInbox
  std::unique_ptr<storage::FeedCursor> cursor;  // kSetCursor; of kDeleteCursor only `consumer`.
  bool is_command = true;  // False: no RoomCommand; Answer is called on the lane.

  // The answer. OK: `outcome` (kAppend), `inbox_outcome` (kInbox), `record` (kCreateRoom) or
  // `pointers` is filled.
  absl::Status status;
  // With a status that is not OK: it may have been done all the same.
  bool is_outcome_unknown = false;
  // It was tried before, and may have been done then: the answer is that of the last time.
  bool is_repeated = false;
  storage::AppendOutcome outcome;
  storage::InboxOutcome inbox_outcome;
  storage::RoomRecord record;
  std::vector<storage::PointerOutcome> pointers;  // One for each move.
};

// What a job holds in memory, roughly.
size_t BytesOf(const CommitJob& job);

// Whether it has a turn of its own; the others are written together with those of their kind.
bool IsAlone(const CommitJob& job);

}  // namespace confab::control
