// user_news.h: what one edge says to one lane about users.
// Threads: values.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "control/fanout/edge_registry.h"
#include "control/presence/user_events.h"

namespace confab::control {

// What one edge says to one lane, in order.
struct UserNews {
  using Item = std::variant<OpenedConnection, ClosedConnection, HeartbeatHeard, StatusChosen,
                            RoleTaken, RoleGiven>;
  std::shared_ptr<Attachment> edge;
  std::vector<Item> items;
};

}  // namespace confab::control
