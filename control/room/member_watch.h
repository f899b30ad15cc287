// member_watch.h: seam; what is told of members and subscribers beyond their room. room_lanes fills
// it: it tells the lanes of users.
// Used by: live_room, command_runner.
// Threads: called on the room's lane; must not block.
#pragma once

#include "storage/records.h"

namespace confab::control {

class MemberWatch {
 public:
  // The user is a member of the room now.
  virtual void OnMember(const storage::RoomId& room, const storage::UserId& user) = 0;

 protected:
  ~MemberWatch() = default;
};

}  // namespace confab::control
