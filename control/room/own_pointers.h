// own_pointers.h: how far senders have come by what they post themselves: a message counts as read
// by its sender. Held here and written now and then, so that posting costs no second row.
// Owns: the pairs (user, room) that the store does not have yet.
// Used by: room_log_follower (Note), room_lane (writes and reads).
// Threads: confined to the lane. Pure.
// Fails: never.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>

#include "storage/read_pointer.h"

namespace confab::control {

class OwnPointers {
 public:
  // The user has posted the room's event `seq`.
  void Note(const storage::UserId& user, const storage::RoomId& room, int64_t seq);

  // 0: nothing that the store may lack.
  int64_t Find(const storage::UserId& user, const storage::RoomId& room) const;
  // All of one user.
  std::vector<storage::PointerMove> Of(const storage::UserId& user) const;

  bool empty() const { return users_.empty(); }

  // Up to `limit` pairs to be written; each comes back by one of the others.
  std::vector<storage::PointerMove> TakeUnwritten(size_t limit);
  // In the store: forgotten, unless their user has posted again meanwhile.
  void OnWritten(const std::vector<storage::PointerMove>& moves);
  // Not in the store: to be taken again.
  void OnFailed(const std::vector<storage::PointerMove>& moves);

 private:
  struct Pointer {
    storage::RoomId room;
    int64_t seq = 0;
    bool is_taken = false;
  };
  using Pointers = absl::InlinedVector<Pointer, 1>;  // A user posts into few rooms at a time.

  Pointer* FindPointer(const storage::UserId& user, const storage::RoomId& room);

  absl::flat_hash_map<storage::UserId, Pointers> users_;
};

}  // namespace confab::control
