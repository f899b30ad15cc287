// room_calls.h: what a call to a room answers, and when it is too late.
// Threads: values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "storage/records.h"

namespace confab::control {

// A jump of the wall clock must not fail a command.
using Deadline = std::chrono::steady_clock::time_point;

// Who asks for an administrative act.
struct Asker {
  storage::Actor actor;    // Empty id: the system.
  std::string service;     // Whose token was shown; empty: a user's.
  std::string request_id;  // What the caller knows the act by.
};

template <typename T>
using Callback = absl::AnyInvocable<void(absl::StatusOr<T>)>;

struct RoomDeleted {};

struct MembersChanged {
  int32_t changed = 0;   // Members that are new, have a new role, or were removed.
  int64_t last_seq = 0;  // Newest event of the room afterwards.
};

struct PostedMessage {
  std::string message_id;
  int64_t seq = 0;
  absl::Time created_at;
};

}  // namespace confab::control
