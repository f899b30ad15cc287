// room_receipts.h: tells how far users have read a room: their own other devices always, and the
// room's subscribers while it has few members.
// Owns: the pointers that moved since others were last told.
// Used by: live_room (Note).
// Threads: confined to the room's lane.
// Fails: never; what is told here is kept for nobody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include "control/fanout/room_audience.h"
#include "control/room/lane_tools.h"
#include "storage/read_pointer.h"

namespace confab::control {

class RoomReceipts {
 public:
  // Told together, of each user the newest: who scrolls moves the pointer many times a second.
  static constexpr absl::Duration kInterval = absl::Milliseconds(250);
  // Users that wait to be told of, some 400 KB; the next one is told of at once, with them.
  static constexpr size_t kUsersLimit = 4'096;

  // All of them outlive this object, which outlives its delays: see is_idle.
  RoomReceipts(const storage::RoomId& room, LaneTools& tools, RoomAudience& audience)
      : room_(room), tools_(tools), audience_(audience) {}

  // The user's pointer has moved to where `now` says, asked for by this connection.
  void Note(const storage::UserId& user, const storage::PointerOutcome& now,
            const std::shared_ptr<Attachment>& edge, uint64_t connection);

  // The user is no member any more: nothing of the room is told about him, or to him.
  void Forget(const storage::UserId& user) { receipts_.erase(user); }
  // The room is gone.
  void Clear() { receipts_.clear(); }

  // False: a delay will come back.
  bool is_idle() const { return !is_waiting_; }

 private:
  struct Receipt {
    int64_t seq = 0;
    int32_t members = 0;
    std::shared_ptr<Attachment> edge;
    uint64_t connection = 0;
  };

  void TellAll();
  void Tell(const storage::UserId& user, Receipt receipt);

  const storage::RoomId& room_;
  LaneTools& tools_;
  RoomAudience& audience_;
  absl::flat_hash_map<storage::UserId, Receipt> receipts_;
  bool is_waiting_ = false;
};

}  // namespace confab::control
