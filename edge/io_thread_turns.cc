// What the connections of an IoThread ask control: at once, or when it is their turn.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "edge/io_thread.h"

namespace confab::edge {

void IoThread::SetPeers(std::vector<IoThread*> peers) {
  peers_ = std::move(peers);
  turns_.SetThreads(peers_.size());
}

bool IoThread::Forward(v1::Command&& command, std::optional<std::uint64_t> reply_id) {
  const std::optional<TurnQueue::Kind> turn = TurnQueue::KindOf(command);
  if (!turn) return Submit(std::move(command), reply_id);
  const std::uint64_t connection = command.connection();
  if (!turns_.Take(*turn, connection)) return false;
  if (Submit(std::move(command), reply_id)) return true;
  turns_.GiveBack(*turn, connection);
  replaying_.try_emplace(connection);
  return false;
}

bool IoThread::Submit(v1::Command&& command, std::optional<std::uint64_t> reply_id) {
  // What no client asked for leaves half of the room to what they do ask, and is over when all is
  // taken down.
  if (command.is_automatic() && (is_down_ || pending_.size() >= PendingRequests::kCountLimit / 2)) {
    return false;
  }
  const auto now = loop_->now();
  const PendingRequest* request =
      pending_.Add(std::move(command), reply_id, now,
                   now + absl::ToChronoMilliseconds(settings_.command_deadline));
  if (request == nullptr) return false;
  if (stream_ == 0) return true;
  *NewItem().mutable_command() = request->command;
  pending_.MarkSent(request->command.request());
  return true;
}

// Before its answer is told: who asks on at once is behind those that wait.
void IoThread::EndTurn(const v1::Command& command) {
  const std::optional<TurnQueue::Kind> turn = TurnQueue::KindOf(command);
  if (!turn) return;
  turns_.GiveBack(*turn, command.connection());
  loop_->MarkDirty(*this);
}

void IoThread::CallTurns() {
  while (const std::optional<std::uint64_t> called = turns_.Call()) {
    if (Connection* connection = Find(*called)) connection->Replay();
  }
}

void IoThread::ReplayLater(Connection& connection, std::chrono::milliseconds wait) {
  const auto at = std::chrono::steady_clock::now() + wait;
  const auto [entry, is_new] = replaying_.try_emplace(connection.id(), at);
  if (!is_new) entry->second = std::min(entry->second, at);
}

void IoThread::AskAgain() {
  const auto now = std::chrono::steady_clock::now();
  std::vector<std::uint64_t> due;
  for (const auto& [id, at] : replaying_) {
    if (at <= now) due.push_back(id);
  }
  for (const std::uint64_t id : due) {
    replaying_.erase(id);
    if (Connection* connection = Find(id)) connection->OnTick();
  }
  CallTurns();
}

void IoThread::ExpireCommands() {
  for (const PendingRequest& request : pending_.Expire(std::chrono::steady_clock::now())) {
    EndTurn(request.command);
    if (Connection* connection = Find(request.command.connection())) {
      connection->OnExpired(request.command, request.reply_id, ErrorOfExpiry(request));
    }
  }
}

}  // namespace confab::edge
