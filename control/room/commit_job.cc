#include "control/room/commit_job.h"

namespace confab::control {

size_t BytesOf(const CommitJob& job) {
  size_t bytes = sizeof(CommitJob);
  for (const storage::NewEvent& event : job.append.events) {
    bytes +=
        sizeof(event) + event.content.size() + event.dedup.key.size() + event.actor.name.size();
    bytes += event.body.size() + event.mentions.size() * sizeof(storage::UserId);
  }
  bytes += job.audits.size() * sizeof(storage::AuditRecord);
  bytes += job.moves.size() * sizeof(storage::PointerMove);
  if (job.inbox != nullptr && job.inbox->notification) {
    bytes += sizeof(storage::InboxWrite) + job.inbox->notification->payload.size();
  }
  if (job.new_room != nullptr) bytes += job.new_room->members.size() * sizeof(storage::UserId) * 4;
  return bytes;
}

bool IsAlone(const CommitJob& job) {
  return job.kind != CommitJob::Kind::kAppend && job.kind != CommitJob::Kind::kInbox &&
         job.kind != CommitJob::Kind::kMovePointers;
}

}  // namespace confab::control
