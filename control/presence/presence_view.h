// presence_view.h: what others may know of a user's presence.
// Threads: values; shared ones are immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <absl/time/time.h>

#include "storage/records.h"

namespace confab::control {

// The numbers are those of v1::PresenceStatus.
enum class UserStatus : uint8_t { kOnline = 1, kAway = 2, kDnd = 3 };

struct PresenceView {
  storage::UserId user;
  bool is_online = false;
  UserStatus status = UserStatus::kOnline;      // While online.
  std::string text;                             // While online.
  absl::Time last_seen = absl::InfinitePast();  // While offline; InfinitePast: not known.
  uint64_t version = 0;  // Grows with each change that others are told of this user.

  // Whether others would see no difference.
  bool SameAs(const PresenceView& other) const {
    if (is_online != other.is_online) return false;
    return !is_online || (status == other.status && text == other.text);
  }
};

using SharedView = std::shared_ptr<const PresenceView>;

}  // namespace confab::control
