// recent_keys.h: idempotency keys of notifications that are stored nowhere, as far as memory goes.
// Owns: the newest keys with their answers.   Used by: notification_lane.
// Threads: confined to the lane.
// Fails: never; the oldest key is forgotten.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include <absl/container/flat_hash_map.h>

#include "confab/v1/types.pb.h"

namespace confab::control {

class RecentKeys {
 public:
  // A key and its answer are some 200 bytes: 2 MB a lane.
  static constexpr size_t kLimit = 10'000;

  explicit RecentKeys(size_t limit = kLimit) : limit_(limit) {}

  // The answer of the first time; nullptr: the key is new. It is valid until the next call.
  const v1::NotificationOutcome* Find(const std::string& key) const {
    const auto found = answers_.find(key);
    return found == answers_.end() ? nullptr : &found->second;
  }

  // Remembers the key.
  void Set(const std::string& key, const v1::NotificationOutcome& answer) {
    const auto [entry, is_new] = answers_.insert_or_assign(key, answer);
    if (!is_new) return;
    order_.push_back(key);
    if (order_.size() <= limit_) return;
    answers_.erase(order_.front());
    order_.pop_front();
  }

 private:
  const size_t limit_;
  absl::flat_hash_map<std::string, v1::NotificationOutcome> answers_;
  std::deque<std::string> order_;
};

}  // namespace confab::control
