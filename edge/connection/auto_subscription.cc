#include "edge/connection/auto_subscription.h"

#include <algorithm>

namespace confab::edge {

namespace {
constexpr std::uint32_t kPageSize = 500;  // The most that control gives.
}  // namespace

// Empty: the pattern is a room's whole id.
std::string_view AutoSubscription::Prefix() const {
  return pattern_.ends_with('*') ? pattern_.substr(0, pattern_.size() - 1) : std::string_view();
}

bool AutoSubscription::Matches(std::string_view room) const {
  return pattern_.ends_with('*') ? room.starts_with(Prefix()) : room == pattern_;
}

void AutoSubscription::Add(std::string_view room, std::int64_t after_seq) {
  if (!Matches(room) || rooms_.size() >= kRoomsLimit) return;
  const bool is_there = std::any_of(rooms_.begin(), rooms_.end(),
                                    [&](const Room& known) { return known.id == room; });
  if (!is_there) rooms_.push_back({std::string(room), after_seq});
}

void AutoSubscription::Restart() {
  if (pattern_.ends_with('*')) {
    // Rooms come by id, from behind the page token: this is the last one that is surely before the
    // pattern's first.
    next_page_ = std::string(Prefix().substr(0, Prefix().empty() ? 0 : Prefix().size() - 1));
  } else {
    Add(pattern_, -1);
  }
}

void AutoSubscription::OnMember(std::string_view room, std::int64_t seq) { Add(room, seq - 1); }

std::optional<v1::Command> AutoSubscription::Next() {
  if (is_waiting_ || (rooms_.empty() && !next_page_)) return std::nullopt;
  v1::Command command;
  command.set_is_automatic(true);
  has_asked_page_ = rooms_.empty();
  if (has_asked_page_) {
    command.mutable_list_rooms()->set_page_size(kPageSize);
    command.mutable_list_rooms()->set_page_token(*next_page_);
  } else {
    v1::JoinRoom& join = *command.mutable_join_room();
    join.set_room_id(rooms_.front().id);
    if (rooms_.front().after_seq >= 0) join.set_after_seq(rooms_.front().after_seq);
  }
  is_waiting_ = true;
  return command;
}

void AutoSubscription::OnResult(const v1::Result& result) {
  if (result.has_error()) return OnRefused(result.error());
  is_waiting_ = false;
  if (!has_asked_page_) {
    rooms_.pop_front();
    return;
  }
  next_page_.reset();
  for (const v1::Room& room : result.rooms().rooms()) Add(room.id(), -1);
  const std::string& next = result.rooms().next_page_token();
  const bool is_behind = next > Prefix() && !Matches(next);
  if (!next.empty() && !is_behind) next_page_ = next;
}

void AutoSubscription::OnRefused(const v1::Error& why) {
  is_waiting_ = false;
  if (why.retryable()) return;
  if (has_asked_page_) {
    next_page_.reset();
  } else if (why.reason() == v1::REASON_RESYNC && rooms_.front().after_seq >= 0) {
    rooms_.front().after_seq = -1;  // What was missed is gone already: from now on, then.
  } else {
    rooms_.pop_front();
  }
}

}  // namespace confab::edge
