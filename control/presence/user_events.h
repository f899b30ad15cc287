// user_events.h: what edges say about users and their connections.
// Threads: values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

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

}  // namespace confab::control
