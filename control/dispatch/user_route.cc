#include "control/dispatch/user_route.h"

#include <utility>

namespace confab::control {

void UserRoute::Push(size_t lane, UserNews::Item item) {
  if (by_lane_.empty()) by_lane_.resize(lanes_.size());
  by_lane_[lane].push_back(std::move(item));
}

void UserRoute::Add(OpenedConnection opened) {
  if (!opened.role_context.empty()) {
    Push(lanes_.LaneOfRole(opened.role_context), UserNews::RoleTaken{opened.role_context});
  }
  const size_t lane = lanes_.LaneOf(opened.user);
  Push(lane, std::move(opened));
}

void UserRoute::Add(ClosedConnection closed) {
  if (!closed.role_context.empty()) {
    Push(lanes_.LaneOfRole(closed.role_context), UserNews::RoleGiven{closed.role_context});
  }
  const size_t lane = lanes_.LaneOf(closed.user);
  Push(lane, std::move(closed));
}

void UserRoute::Submit() {
  for (size_t lane = 0; lane < by_lane_.size(); ++lane) {
    if (by_lane_[lane].empty()) continue;
    lanes_.PostUsers(lane, [news = UserNews{edge_, std::exchange(by_lane_[lane], {})}](
                               UserLane& users) { users.Take(news); });
  }
}

}  // namespace confab::control
