#include "control/dispatch/recorded_act.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "control/room/audit_trail.h"
#include "control/room/upkeep_job.h"

namespace confab::control {

void RecordAct(RoomLanes& lanes, const char* act, const Asker& asker,
               const storage::UserId& subject, Deadline deadline,
               absl::AnyInvocable<void(const absl::Status&)> done) {
  auto job = std::make_unique<UpkeepJob>(
      CommitJob::Kind::kAudit, storage::RoomId(),
      [done = std::move(done)](UpkeepJob& written) mutable { done(written.status); });
  storage::AuditRecord record;
  record.note = *NoteOf(act, asker);
  record.subject = subject;
  job->audits.push_back(std::move(record));
  job->deadline = deadline;
  const size_t lane = lanes.LaneOf(subject);
  lanes.Post(lane, [job = std::move(job)](RoomLane& rooms) mutable { rooms.Push(std::move(job)); });
}

}  // namespace confab::control
