// presence_lanes.h: seam; how the lanes of users and of rooms tell each other. room_lanes fills it.
// Used by: presence_rounds.
// Threads: any thread.
// Fails: what is posted to a lane that has ended is dropped.
#pragma once

#include <cstddef>

#include <absl/functional/any_invocable.h>

#include "storage/records.h"

namespace confab::control {

class RoomPresence;
class UserLane;

class PresenceLanes {
 public:
  virtual size_t size() const = 0;
  virtual size_t LaneOf(const storage::UserId& user) const = 0;
  virtual size_t LaneOf(const storage::RoomId& room) const = 0;
  virtual void PostToUsers(size_t lane, absl::AnyInvocable<void(UserLane&)> task) = 0;
  virtual void PostToRooms(size_t lane, absl::AnyInvocable<void(RoomPresence&)> task) = 0;

 protected:
  ~PresenceLanes() = default;
};

}  // namespace confab::control
