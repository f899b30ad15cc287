// audit_trail.h: which acts are recorded, and what of them.
// Threads: pure.
#pragma once

#include <memory>

#include <absl/status/status.h>

#include "control/room/room_calls.h"
#include "control/room/room_change.h"
#include "control/room/room_command.h"
#include "storage/audit.h"

namespace confab::control {

// "member.ban"
const char* ActWordOf(PersonChange::Kind kind);
// "message.edit". REQUIRES: it is an edit or a deletion.
const char* ActWordOf(storage::EventKind kind);

std::shared_ptr<const storage::AuditNote> NoteOf(const char* act, const Asker& asker);

// What is recorded of a command that becomes no event. REQUIRES: it has a note.
storage::AuditRecord AuditOf(const RoomCommand& command);
// The same of one that is refused.
storage::AuditRecord AuditOf(const RoomCommand& command, const absl::Status& why);

}  // namespace confab::control
