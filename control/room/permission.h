// permission.h: the one table of what a role may do in a room.
// Threads: pure.
#pragma once

#include "storage/records.h"

namespace confab::control {

enum class RoomAct {
  kSubscribe,         // Receive events live, replay what was missed.
  kRead,              // Read pages of the log.
  kPost,              // Post messages.
  kManageMembers,     // Add, remove and change readers and members.
  kManageModerators,  // The same for moderators and owners.
};

// Whether `role` permits `act`. Role::kNone permits nothing.
bool Permits(storage::Role role, RoomAct act);

// What it takes to give somebody `role`, or to take it away.
RoomAct ActToManage(storage::Role role);

}  // namespace confab::control
