#include "control/dispatch/user_route.h"

#include <utility>
#include <variant>

#include "control/room/content_rules.h"
#include "control/status_reason.h"

namespace confab::control {
namespace {

// Empty: it may be chosen.
std::optional<Refusal> CheckStatus(const v1::SetStatus& chosen) {
  if (!v1::PresenceStatus_IsValid(chosen.status())) {
    return Refusal{v1::REASON_BAD_REQUEST, "status is online, away or dnd"};
  }
  return CheckOptionalKey(chosen.text(), "text");
}

}  // namespace

void UserRoute::Push(size_t lane, UserNews::Item item) {
  if (by_lane_.empty()) by_lane_.resize(lanes_.size());
  by_lane_[lane].push_back(std::move(item));
}

void UserRoute::Add(OpenedConnection opened) {
  if (!opened.role_context.empty()) {
    Push(lanes_.LaneOfRole(opened.role_context), RoleTaken{opened.role_context});
  }
  const size_t lane = lanes_.LaneOf(opened.user);
  Push(lane, std::move(opened));
}

void UserRoute::Add(ClosedConnection closed) {
  if (!closed.role_context.empty()) {
    Push(lanes_.LaneOfRole(closed.role_context), RoleGiven{closed.role_context});
  }
  const size_t lane = lanes_.LaneOf(closed.user);
  Push(lane, std::move(closed));
}

bool UserRoute::Take(EdgeInput& input) {
  if (auto* opened = std::get_if<OpenedConnection>(&input)) {
    Add(std::move(*opened));
  } else if (auto* closed = std::get_if<ClosedConnection>(&input)) {
    Add(std::move(*closed));
  } else if (const auto* asked = std::get_if<EdgeCommand>(&input)) {
    return TakeCommand(*asked);
  } else {
    return false;
  }
  return true;
}

// Answered at once: that the edge knows the connection is all it takes.
bool UserRoute::TakeCommand(const EdgeCommand& asked) {
  const v1::Command& command = asked.command;
  if (!command.has_heartbeat() && !command.has_set_status()) return false;
  const storage::UserId& user = asked.actor->id;
  v1::ControlItem item;
  v1::Result& result = *item.mutable_result();
  result.set_connection(command.connection());
  result.set_request(command.request());
  if (command.has_heartbeat()) {
    Push(lanes_.LaneOf(user), HeartbeatHeard{command.connection()});
    result.mutable_heartbeat();
  } else if (auto refusal = CheckStatus(command.set_status())) {
    *result.mutable_error() = ErrorOf(RefusalStatus(refusal->reason, std::move(refusal->message)));
  } else {
    const v1::SetStatus& chosen = command.set_status();
    const auto status = chosen.status() == v1::PRESENCE_STATUS_UNSPECIFIED
                            ? UserStatus::kOnline
                            : static_cast<UserStatus>(chosen.status());
    Push(lanes_.LaneOf(user), StatusChosen{user, status, chosen.text()});
    result.mutable_set_status();
  }
  edge_->stream().Send(absl::MakeSpan(&item, 1));
  return true;
}

void UserRoute::Announce(std::vector<OpenedConnection> connections) {
  by_lane_.resize(lanes_.size());
  for (OpenedConnection& connection : connections) Add(std::move(connection));
  // Every lane: it is to know which users the edge does not have any more.
  for (size_t lane = 0; lane < by_lane_.size(); ++lane) {
    lanes_.PostToUsers(lane, [news = UserNews{edge_, std::exchange(by_lane_[lane], {})}](
                                 UserLane& users) { users.Attach(news); });
  }
}

void UserRoute::Submit() {
  for (size_t lane = 0; lane < by_lane_.size(); ++lane) {
    if (by_lane_[lane].empty()) continue;
    lanes_.PostToUsers(lane, [news = UserNews{edge_, std::exchange(by_lane_[lane], {})}](
                                 UserLane& users) { users.Take(news); });
  }
}

}  // namespace confab::control
