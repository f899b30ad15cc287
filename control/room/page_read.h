// page_read.h: the page of a room's log that a command asks for.
// Threads: confined to the lane (the store is read on a reader thread).
#pragma once

#include <memory>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include "control/room/lane_tools.h"
#include "control/room/log_reader.h"
#include "control/room/room_command.h"

namespace confab::control {

// Gets the command back, with its page if the status is OK.
using PageDone = absl::AnyInvocable<void(std::unique_ptr<RoomCommand>, const absl::Status&)>;

// By `reader` where others ask for the same, else from the store. REQUIRES: it is a ReadRequest.
void ReadPageOf(std::unique_ptr<RoomCommand> command, LogReader& reader, LaneTools& tools,
                PageDone done);

}  // namespace confab::control
