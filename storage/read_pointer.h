// read_pointer.h: how far users have read rooms, as plain values.
// Threads: immutable values; any thread.
#pragma once

#include <cstdint>

#include <absl/time/time.h>

#include "storage/records.h"

namespace confab::storage {

// A user has read a room up to an event.
struct PointerMove {
  RoomId room;
  UserId user;
  int64_t seq = 0;
  bool is_asked = false;  // The outcome is to be told whole; else only whether there is the room.
};

// How far a user has read a room.
struct ReadPosition {
  int64_t seq = 0;     // 0: nothing yet.
  int64_t unread = 0;  // Messages behind it that are not deleted.
  friend bool operator==(const ReadPosition&, const ReadPosition&) = default;
};

struct PointerOutcome {
  // Members beyond this are not counted: receipts are shown to small rooms only.
  static constexpr int32_t kMembersCounted = 201;

  bool is_room_there = false;
  bool has_moved = false;  // The pointer was further back before.
  ReadPosition position;   // Where it is now.
  int32_t members = 0;     // kMembersCounted: that many or more.
};

// How far StoreWriter::RepairPointers has come.
struct PointerRepair {
  absl::Time since = absl::InfinitePast();  // Of what is repaired; at first it is not known.
  RoomId after;                             // The rooms up to it are done.
  bool is_done = false;
};

// A room with what is one member's of it.
struct MembershipRecord {
  RoomRecord room;
  Role role = Role::kNone;
  ReadPosition read;
};

}  // namespace confab::storage
