// command_translator.h: an edge's command, checked and made into a command of a room.
// Threads: pure (message ids are random); any thread.
#pragma once

#include <memory>

#include <absl/status/statusor.h>

#include "control/dispatch/dispatcher_types.h"
#include "control/fanout/edge_registry.h"
#include "control/room/content_rules.h"
#include "control/room/room_command.h"

namespace confab::control {

// The refusal as a status.
absl::Status ToStatus(Refusal refusal);

// REQUIRES: input.actor is set.
absl::StatusOr<std::unique_ptr<RoomCommand>> Translate(EdgeCommand input,
                                                       const std::shared_ptr<Attachment>& edge,
                                                       Deadline now, absl::Duration limit);

// The message a service posts, as a command without a reply.
absl::StatusOr<std::unique_ptr<RoomCommand>> Translate(ServicePost post);

// The edit or deletion that a service asks for, likewise.
absl::StatusOr<std::unique_ptr<RoomCommand>> Translate(ServiceChange change);

// `limit` of a page as asked for, made into what is read: 0 means 50, and 500 is the most.
int32_t PageLimit(int64_t asked);

}  // namespace confab::control
