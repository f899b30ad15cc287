#include "edge/control_link/recovery_questions.h"

namespace confab::edge {

std::optional<std::uint64_t> RecoveryQuestions::Add(std::uint64_t connection, SteadyTime now) {
  if (waiting_.size() >= kCountLimit) return std::nullopt;
  const std::uint64_t ticket = ++last_ << 8 | thread_index_;
  waiting_.emplace_hint(waiting_.end(), ticket,
                        Waiting{.connection = connection, .until = now + kWait});
  return ticket;
}

std::optional<std::uint64_t> RecoveryQuestions::Take(std::uint64_t ticket) {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end()) return std::nullopt;
  const std::uint64_t connection = found->second.connection;
  waiting_.erase(found);
  return connection;
}

std::optional<std::uint64_t> RecoveryQuestions::TakeExpired(SteadyTime now) {
  if (waiting_.empty() || waiting_.begin()->second.until > now) return std::nullopt;
  return Take(waiting_.begin()->first);
}

void RecoveryQuestions::Drop(std::uint64_t connection) {
  std::erase_if(waiting_, [&](const auto& one) { return one.second.connection == connection; });
}

}  // namespace confab::edge
