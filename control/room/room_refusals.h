// room_refusals.h: what a room's commands are refused with before and after their decision.
// Threads: pure.
#pragma once

#include <absl/status/status.h>

#include "control/room/room_command.h"

namespace confab::control {

absl::Status NoSuchRoom();
absl::Status NoSuchMessage();
absl::Status NotOwnMessage();
// Its deadline has passed.
absl::Status TooLate();
// Of them wait already.
absl::Status TooMany();
// It may have been done: who may ask again without harm is told to.
absl::Status OutcomeUnknown(const RoomCommand& command);

}  // namespace confab::control
