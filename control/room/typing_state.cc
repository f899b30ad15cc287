#include "control/room/typing_state.h"

#include <algorithm>

namespace confab::control {

using storage::UserId;

bool TypingState::Begin(const UserId& user, Time now) {
  auto found = typists_.find(user);
  if (found == typists_.end()) {
    if (typists_.size() >= kTypistsLimit) return false;
    found = typists_.emplace(user, Typist{now - kInterval, now, false}).first;
  }
  Typist& typist = found->second;
  typist.ends_at = now + kEnd;
  if (now - typist.told_at < kInterval) return false;
  typist.told_at = now;
  typist.is_shown = true;
  return true;
}

bool TypingState::End(const UserId& user, Time now) {
  const auto found = typists_.find(user);
  if (found == typists_.end() || !found->second.is_shown) return false;
  found->second.is_shown = false;
  // Remembered while the interval lasts: who flickers is told of no more often.
  if (now - found->second.told_at >= kInterval) typists_.erase(found);
  return true;
}

TypingState::Time TypingState::DueAt(const Typist& typist) {
  return typist.is_shown ? typist.ends_at : typist.told_at + kInterval;
}

std::vector<UserId> TypingState::Expire(Time now) {
  std::vector<UserId> over;
  absl::erase_if(typists_, [&](const auto& entry) {
    if (DueAt(entry.second) > now) return false;
    if (entry.second.is_shown) over.push_back(entry.first);
    return true;
  });
  return over;
}

std::optional<TypingState::Time> TypingState::NextAt() const {
  std::optional<Time> next;
  for (const auto& [user, typist] : typists_) {
    next = std::min(next.value_or(Time::max()), DueAt(typist));
  }
  return next;
}

}  // namespace confab::control
