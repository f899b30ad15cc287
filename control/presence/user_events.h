// user_events.h: what edges say about users and their connections.
// Threads: values.
#pragma once

#include <cstdint>
#include <string>

#include "control/presence/presence_view.h"
#include "storage/records.h"

namespace confab::control {

// A socket's connection is there. HTTP requests have none of their own.
struct OpenedConnection {
  uint64_t connection = 0;
  storage::UserId user;
  std::string role_context;  // Empty: the token names none.
  std::string device_id;
  bool awaits_heartbeat = false;
};

struct ClosedConnection {
  uint64_t connection = 0;
  storage::UserId user;
  std::string role_context;
};

struct HeartbeatHeard {
  uint64_t connection = 0;
};

struct StatusChosen {
  storage::UserId user;
  UserStatus status = UserStatus::kOnline;
  std::string text;
};

// The role of a connection whose user may live on another lane.
struct RoleTaken {
  std::string role;
};
struct RoleGiven {
  std::string role;
};

}  // namespace confab::control
