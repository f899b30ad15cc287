// call_rules.h: what calls about rooms and members may name.
// Threads: pure.
#pragma once

#include <utility>
#include <vector>

#include <absl/status/status.h>

#include "storage/records.h"
#include "storage/upkeep.h"

namespace confab::control {

// Each BAD_REQUEST says what is wrong with the first thing that is.
absl::Status CheckRoom(const storage::RoomId& room);
absl::Status CheckUsers(const std::vector<storage::UserId>& users);
absl::Status CheckMembers(const std::vector<std::pair<storage::UserId, storage::Role>>& members);
absl::Status CheckRetention(const storage::Retention& retention);
absl::Status CheckNewRoom(const storage::NewRoom& room);

}  // namespace confab::control
