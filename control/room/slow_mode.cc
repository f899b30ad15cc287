#include "control/room/slow_mode.h"

namespace confab::control {

absl::Time SlowMode::Post(const storage::UserId& user, const storage::DedupKey& key,
                          absl::Duration pace, absl::Time now) {
  const auto it = last_.find(user);
  if (it != last_.end()) {
    if (it->second.key == key) return now;
    const absl::Time next = it->second.at + pace;
    // A clock that was set back makes nobody wait longer than once.
    if (now < next && now >= it->second.at) return next;
  } else if (last_.size() >= kUsersLimit) {
    absl::erase_if(last_, [&](const auto& entry) { return entry.second.at + pace <= now; });
    if (last_.size() >= kUsersLimit) last_.clear();
  }
  last_[user] = {now, key};
  return now;
}

}  // namespace confab::control
