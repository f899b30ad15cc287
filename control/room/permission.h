// permission.h: the one table of what a role may do in a room.
// Threads: pure.
#pragma once

#include "storage/records.h"

namespace confab::control {

enum class RoomAct {
  kShow,              // See the room itself: its topic, how many it has. Anybody, if it is public.
  kListMembers,       // See who belongs to it.
  kSubscribe,         // Receive events live, replay what was missed.
  kRead,              // Read pages of the log.
  kPost,              // Post messages.
  kManageMembers,     // Add, remove and change readers and members.
  kManageModerators,  // The same for moderators and owners.
};

// Whether `role` permits `act`. Role::kNone permits nothing but what a public room shows.
bool Permits(storage::Role role, RoomAct act, bool is_public = false);

// What it takes to give somebody `role`, or to take it away.
RoomAct ActToManage(storage::Role role);

}  // namespace confab::control
