#include "edge/connection/own_joins.h"

#include <algorithm>
#include <utility>

namespace confab::edge {

OwnJoins::OwnJoins(std::string_view pattern) {
  if (!pattern.empty()) auto_.emplace(pattern);
}

void OwnJoins::Restart() {
  if (auto_) auto_->Restart();
}

void OwnJoins::OnMember(std::string_view room, std::int64_t seq) {
  if (auto_) auto_->OnMember(room, seq);
}

std::optional<v1::Command> OwnJoins::Next() {
  if (is_pausing_) return std::nullopt;
  // Whose answer is awaited goes first.
  if (resumption_ && !(auto_ && auto_->is_waiting())) return resumption_->Next();
  return auto_ ? auto_->Next() : std::nullopt;
}

bool OwnJoins::IsResumed(const v1::Command& command) const {
  return resumption_ && command.has_join_room() && !(auto_ && auto_->is_waiting());
}

void OwnJoins::OnNotAsked(const v1::Command& command) {
  if (IsResumed(command)) return resumption_->OnNotAsked(command.join_room().room_id());
  if (auto_) auto_->OnNotAsked();
}

bool OwnJoins::OnResult(const v1::Command& command, const v1::Result& result, SteadyTime now) {
  if (result.error().retryable()) {
    const std::chrono::milliseconds told(result.error().retry_after_ms());
    retry_at_ = std::max(retry_at_, now + told);
    is_pausing_ = true;
  }
  if (IsResumed(command)) {
    return resumption_->OnResult(command.join_room().room_id(), result, now);
  }
  if (auto_ && auto_->is_waiting()) auto_->OnResult(result);
  return false;
}

std::optional<std::chrono::milliseconds> OwnJoins::PauseAt(SteadyTime now) const {
  if (!is_pausing_) return std::nullopt;
  return std::chrono::ceil<std::chrono::milliseconds>(std::max(retry_at_, now) - now);
}

void OwnJoins::OnTick(SteadyTime now) { is_pausing_ = is_pausing_ && now < retry_at_; }

std::optional<Resumption> OwnJoins::TakeDone() {
  if (!resumption_ || !resumption_->IsDone()) return std::nullopt;
  return std::exchange(resumption_, std::nullopt);
}

}  // namespace confab::edge
