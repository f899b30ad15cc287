// member_watch.h: seam; what is told of rooms, their members and subscribers beyond the room.
// room_lanes fills it: it tells the lanes of users and of rooms.
// Used by: live_room, command_runner, room_receipts, room_lane.
// Threads: called on the room's lane, OnLogRewritten on any lane; must not block.
#pragma once

#include <cstdint>
#include <memory>

#include "confab/v1/types.pb.h"

#include "control/fanout/edge_registry.h"
#include "control/fanout/own_topics.h"
#include "storage/records.h"

namespace confab::control {

class MemberWatch {
 public:
  // The user is a member of the room since the event `added_seq`; 0: is none any more.
  virtual void OnMember(const storage::RoomId& room, const storage::UserId& user,
                        int64_t added_seq) = 0;
  // A connection of the user has joined a room.
  virtual void OnSubscribed(const storage::UserId& user, const std::shared_ptr<Attachment>& edge,
                            uint64_t connection) = 0;
  // The user's read pointer of a room has moved; the signal tells the user's connections of it.
  virtual void OnRead(const storage::UserId& user, v1::Signal signal, Passed passed) = 0;
  // The room is gone, with all memberships.
  virtual void OnDeleted(const storage::RoomId& room) = 0;
  // Events of the room's log were removed or emptied, or may have been.
  virtual void OnLogRewritten(const storage::RoomId& room) = 0;

 protected:
  ~MemberWatch() = default;
};

}  // namespace confab::control
