#include "edge/connection/auto_subscription.h"

#include <algorithm>

namespace confab::edge {

namespace {
constexpr std::uint32_t kPageSize = 500;  // The most that control gives.
}  // namespace

bool AutoSubscription::Matches(std::string_view room) const {
  if (!pattern_.ends_with('*')) return room == pattern_;
  return room.starts_with(pattern_.substr(0, pattern_.size() - 1));
}

void AutoSubscription::Add(std::string_view room) {
  if (!Matches(room) || rooms_.size() >= kRoomsLimit) return;
  if (std::find(rooms_.begin(), rooms_.end(), room) == rooms_.end()) rooms_.emplace_back(room);
}

void AutoSubscription::Restart() {
  if (pattern_.ends_with('*')) {
    next_page_ = std::string();
  } else {
    Add(pattern_);
  }
}

void AutoSubscription::OnMember(std::string_view room) { Add(room); }

std::optional<v1::Command> AutoSubscription::Next() {
  if (is_waiting_ || (rooms_.empty() && !next_page_)) return std::nullopt;
  v1::Command command;
  command.set_is_automatic(true);
  has_asked_page_ = rooms_.empty();
  if (has_asked_page_) {
    command.mutable_list_rooms()->set_page_size(kPageSize);
    command.mutable_list_rooms()->set_page_token(*next_page_);
  } else {
    command.mutable_join_room()->set_room_id(rooms_.front());
  }
  is_waiting_ = true;
  return command;
}

void AutoSubscription::OnResult(const v1::Result& result) {
  if (result.has_error()) return OnRefused(result.error().retryable());
  is_waiting_ = false;
  if (!has_asked_page_) {
    rooms_.pop_front();
    return;
  }
  next_page_.reset();
  for (const v1::Room& room : result.rooms().rooms()) Add(room.id());
  if (!result.rooms().next_page_token().empty()) next_page_ = result.rooms().next_page_token();
}

void AutoSubscription::OnRefused(bool is_retryable) {
  is_waiting_ = false;
  if (is_retryable) return;
  if (has_asked_page_) {
    next_page_.reset();
  } else {
    rooms_.pop_front();
  }
}

}  // namespace confab::edge
