// Sessions that were lost at other edges, and those that this one hands over when it drains.
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "edge/io_thread.h"

namespace confab::edge {

bool IoThread::AskForSession(std::uint64_t connection, v1::RecoveryQuestion&& question) {
  if (!is_attached_) return false;
  const std::optional<std::uint64_t> ticket =
      questions_.Add(connection, std::chrono::steady_clock::now());
  if (!ticket) return false;
  question.set_ticket(*ticket);
  *NewItem().mutable_recovery_question() = std::move(question);
  return true;
}

bool IoThread::HandOverSession(v1::SessionHandedOver&& handed) {
  if (stream_ == 0 || handed.ByteSizeLong() > RecoveryQuestions::kSessionBytesLimit) return false;
  *NewItem().mutable_session_handed_over() = std::move(handed);
  return true;
}

void IoThread::On(const v1::RecoveryAnswer& answer) {
  const std::optional<std::uint64_t> connection = questions_.Take(answer.ticket());
  if (!connection) {
    // It has waited too long, or is gone: the next try of its client finds the session here.
    if (answer.has_session() && recovery_ != nullptr) recovery_->PutBack(answer.session());
    return;
  }
  OnSessionAnswered(*connection, answer.has_session() ? &answer.session() : nullptr);
}

void IoThread::ExpireQuestions() {
  const auto now = std::chrono::steady_clock::now();
  while (const auto connection = questions_.TakeExpired(now)) {
    OnSessionAnswered(*connection, nullptr);
  }
}

}  // namespace confab::edge
