#include "control/dispatch/call_rules.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "control/dispatch/command_translator.h"
#include "control/room/content_rules.h"
#include "control/room/room_change.h"
#include "control/status_reason.h"

namespace confab::control {

using storage::Role;
using storage::RoomId;
using storage::UserId;

namespace {

constexpr size_t kMembersLimit = 1000;  // One transaction, one request of at most 140 KiB.
// What goes sooner than a round of retention could be promised was never there; and no overflow.
constexpr absl::Duration kRetentionAgeMin = absl::Seconds(60);
constexpr absl::Duration kRetentionAgeMax = absl::Seconds(3'155'760'000);

absl::Status BadRequest(std::string message) {
  return RefusalStatus(v1::REASON_BAD_REQUEST, std::move(message));
}

}  // namespace

absl::Status CheckUsers(const std::vector<UserId>& users) {
  if (users.empty() || users.size() > kMembersLimit) {
    return BadRequest(fmt::format("name 1 to {} users", kMembersLimit));
  }
  std::vector<UserId> sorted = users;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    return BadRequest("a user is named twice");
  }
  for (const UserId& user : users) {
    if (auto refusal = CheckId(user.value, "user_id")) return ToStatus(*std::move(refusal));
  }
  return absl::OkStatus();
}

absl::Status CheckMembers(const std::vector<std::pair<UserId, Role>>& members) {
  std::vector<UserId> users;
  for (const auto& [user, role] : members) {
    if (role == Role::kNone) return BadRequest("a member needs a role");
    users.push_back(user);
  }
  return CheckUsers(users);
}

absl::Status CheckRoom(const RoomId& room) {
  auto refusal = CheckId(room.value, "room_id");
  return refusal ? ToStatus(*std::move(refusal)) : absl::OkStatus();
}

absl::Status CheckRetention(const storage::Retention& retention) {
  if (retention.max_messages < 0) return BadRequest("retention.max_messages is negative");
  if (retention.max_age == absl::ZeroDuration()) return absl::OkStatus();
  if (retention.max_age < kRetentionAgeMin || retention.max_age > kRetentionAgeMax) {
    return BadRequest("retention.max_age_seconds is 0, or 60 to 3,155,760,000 (100 years)");
  }
  return absl::OkStatus();
}

absl::Status CheckNewRoom(const storage::NewRoom& room) {
  if (auto status = CheckRoom(room.id); !status.ok()) return status;
  if (auto status = CheckSettings(room); !status.ok()) return status;
  return room.members.empty() ? absl::OkStatus() : CheckMembers(room.members);
}

}  // namespace confab::control
