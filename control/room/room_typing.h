// room_typing.h: tells a room's subscribers who types, and when it is over.
// Owns: who types, and from which connection.
// Used by: live_room, command_runner (Set).
// Threads: confined to the room's lane.
// Fails: never; signals are not kept for anybody.
#pragma once

#include <cstdint>
#include <memory>

#include <absl/container/flat_hash_map.h>

#include "control/fanout/room_audience.h"
#include "control/room/lane_tools.h"
#include "control/room/typing_state.h"
#include "storage/records.h"

namespace confab::control {

class RoomTyping {
 public:
  // All of them outlive this object, which outlives its delays: see is_idle.
  RoomTyping(const storage::RoomId& room, LaneTools& tools, RoomAudience& audience)
      : room_(room), tools_(tools), audience_(audience) {}

  // REQUIRES: the user may. The connection is not told.
  void Set(const storage::UserId& user, bool is_typing, const std::shared_ptr<Attachment>& edge,
           uint64_t connection);

  // The user may no longer.
  void End(const storage::UserId& user);

  // False: a delay will come back.
  bool is_idle() const { return !is_waiting_; }

 private:
  struct Source {
    std::shared_ptr<Attachment> edge;
    uint64_t connection = 0;
  };

  void Tell(const storage::UserId& user, bool is_typing);
  void Expire();
  void WaitForNext();

  const storage::RoomId& room_;
  LaneTools& tools_;
  RoomAudience& audience_;
  TypingState state_;
  absl::flat_hash_map<storage::UserId, Source> sources_;  // Of those who are shown.
  bool is_waiting_ = false;
};

}  // namespace confab::control
