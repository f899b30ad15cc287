#include "control/room/room_refusals.h"

#include "control/room/commit_queue.h"
#include "control/status_reason.h"

namespace confab::control {

absl::Status NoSuchRoom() {
  return RefusalStatus(v1::REASON_ROOM_NOT_FOUND, "there is no such room");
}

absl::Status NoSuchMessage() {
  return RefusalStatus(v1::REASON_MESSAGE_NOT_FOUND,
                       "the room has no message of this id, or it is deleted");
}

absl::Status NotOwnMessage() {
  return RefusalStatus(v1::REASON_FORBIDDEN, "only its sender and moderators may change a message");
}

absl::Status TooLate() {
  return RefusalStatus(v1::REASON_UNAVAILABLE, "the server is too busy right now; try again");
}

absl::Status TooMany() {
  return RefusalStatus(v1::REASON_UNAVAILABLE, "too many commands wait for this room; try again",
                       CommitQueue::kRetryAfterMs);
}

absl::Status OutcomeUnknown(const RoomCommand& command) {
  return RefusalStatus(command.is_repeat_safe ? v1::REASON_UNAVAILABLE : v1::REASON_OUTCOME_UNKNOWN,
                       "the database's answer was lost: the command may have been done");
}

}  // namespace confab::control
