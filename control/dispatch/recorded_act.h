// recorded_act.h: acts that stand in the audit table before they are done, whatever becomes of this
// process: those that become no event of a room.
// Threads: any thread.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include "control/dispatch/room_lanes.h"
#include "control/room/room_calls.h"
#include "storage/records.h"

namespace confab::control {

// Writes the record, then calls `done` with what became of it, exactly once: on the subject's lane,
// or where the lane has ended. What is not OK is not to be done.
void RecordAct(RoomLanes& lanes, const char* act, const Asker& asker,
               const storage::UserId& subject, Deadline deadline,
               absl::AnyInvocable<void(const absl::Status&)> done);

}  // namespace confab::control
