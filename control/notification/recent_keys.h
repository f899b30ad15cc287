// recent_keys.h: idempotency keys of notifications that are stored nowhere, as far as memory goes.
// Owns: the newest keys with their answers.   Used by: notification_lane.
// Threads: confined to the lane.
// Fails: never; the oldest key is forgotten, and none is known for longer than those of inboxes.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "confab/v1/notification.pb.h"

#include "storage/inbox.h"

namespace confab::control {

class RecentKeys {
 public:
  // A key and its answer are some 200 bytes: 2 MB a lane.
  static constexpr size_t kLimit = 10'000;

  explicit RecentKeys(size_t limit = kLimit) : limit_(limit) {}

  using Time = std::chrono::steady_clock::time_point;

  // The answer of the first time; nullptr: the key is new. It is valid until the next call.
  const v1::NotificationOutcome* Find(const std::string& key, Time now) {
    while (!order_.empty() && now - order_.front().second > absl::ToChronoSeconds(kAge)) Drop();
    const auto found = answers_.find(key);
    return found == answers_.end() ? nullptr : &found->second;
  }

  // Remembers the key.
  void Set(const std::string& key, const v1::NotificationOutcome& answer, Time now) {
    const auto [entry, is_new] = answers_.insert_or_assign(key, answer);
    if (!is_new) return;
    order_.emplace_back(key, now);
    if (order_.size() > limit_) Drop();
  }

 private:
  static constexpr absl::Duration kAge = storage::kInboxKeyAge;

  void Drop() {
    answers_.erase(order_.front().first);
    order_.pop_front();
  }

  const size_t limit_;
  absl::flat_hash_map<std::string, v1::NotificationOutcome> answers_;
  std::deque<std::pair<std::string, Time>> order_;  // Oldest first.
};

}  // namespace confab::control
