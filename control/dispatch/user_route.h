// user_route.h: takes what one edge says about users and their connections to the lanes of these
// users, and of their roles.
// Owns: what gathered since Submit.   Used by: dispatcher.
// Threads: confined to the caller.
#pragma once

#include <memory>
#include <vector>

#include "control/dispatch/dispatcher_types.h"
#include "control/dispatch/room_lanes.h"
#include "control/fanout/edge_registry.h"

namespace confab::control {

class UserRoute {
 public:
  // Both outlive this object.
  UserRoute(RoomLanes& lanes, const std::shared_ptr<Attachment>& edge)
      : lanes_(lanes), edge_(edge) {}

  // The edge has attached, with these connections; submits at once.
  void Announce(std::vector<OpenedConnection> connections);

  // False: it is not about a user alone.
  bool Take(EdgeInput& input);

  // In order; what the lanes of rooms are given afterwards finds it done.
  void Submit();

 private:
  void Add(OpenedConnection opened);
  void Add(ClosedConnection closed);
  bool TakeCommand(const EdgeCommand& asked);
  void Push(size_t lane, UserNews::Item item);

  RoomLanes& lanes_;
  const std::shared_ptr<Attachment>& edge_;
  std::vector<std::vector<UserNews::Item>> by_lane_;  // Empty, or one for each lane.
};

}  // namespace confab::control
