// permission.h: the one table of who may do what in a room, asked by socket, HTTP and gRPC alike.
// docs/permissions.md shows it in full; a test holds the two together.
// Threads: pure.
#pragma once

#include <array>
#include <string_view>

#include "confab/v1/types.pb.h"

#include "storage/records.h"

namespace confab::control {

enum class RoomAct {
  kShow,              // See the room itself: its topic, how many it has.
  kJoin,              // Become a member by oneself.
  kListMembers,       // See who belongs to it.
  kSubscribe,         // Receive events live, replay what was missed.
  kRead,              // Read pages of the log.
  kMarkRead,          // Move one's own read pointer.
  kType,              // Tell that one types.
  kPost,              // Post messages.
  kEditOwn,           // Edit one's own message.
  kDeleteOwn,         // Delete one's own message.
  kEditOthers,        // Edit anybody's message.
  kDeleteOthers,      // Delete anybody's message.
  kManageMembers,     // Add, remove, ban, mute and change readers and members.
  kManageModerators,  // The same for moderators and owners.
  kListBanned,        // See who is banned.
  kModerateRoom,      // Change topic, metadata, read-only and slow mode.
  kOwnRoom,           // Change who may join, archive and bring back.
};
inline constexpr size_t kRoomActs = 17;

// What of a room's settings permission asks for.
struct RoomRules {
  bool is_public = false;
  bool is_archived = false;
  bool is_read_only = false;
};

inline RoomRules RulesOf(const storage::RoomSettings& settings) {
  return {settings.is_public, settings.is_archived, settings.is_read_only};
}

// What somebody is in a room at this moment.
struct Standing {
  storage::Role role = storage::Role::kNone;
  bool is_banned = false;
  bool is_muted = false;
  bool is_system = false;  // A service by itself, or confabctl: may do everything.
};

// REASON_UNSPECIFIED: it is permitted. Else why not: NOT_A_MEMBER, BANNED, FORBIDDEN,
// ROOM_ARCHIVED, ROOM_READ_ONLY or MUTED.
v1::Reason Permit(RoomAct act, const Standing& who, const RoomRules& room);

// For people, of a reason that Permit gives.
const char* MessageOf(v1::Reason reason);

// What it takes to give somebody `role`, or to take it away.
RoomAct ActToManage(storage::Role role);

// For people: "post".
std::string_view WordOf(RoomAct act);
const std::array<RoomAct, kRoomActs>& AllRoomActs();

}  // namespace confab::control
