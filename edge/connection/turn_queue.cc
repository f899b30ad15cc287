#include "edge/connection/turn_queue.h"

#include <algorithm>

namespace confab::edge {

void TurnQueue::SetThreads(std::size_t threads) {
  const std::size_t shares = std::max(threads, kThreadsWithAll);
  lines_[Index(Kind::kJoin)].limit =
      std::max<std::size_t>(1, kJoinsLimit * kThreadsWithAll / shares);
  lines_[Index(Kind::kPage)].limit =
      std::max<std::size_t>(1, kPagesLimit * kThreadsWithAll / shares);
}

std::optional<TurnQueue::Kind> TurnQueue::KindOf(const v1::Command& command) {
  if (command.has_replay_page()) return Kind::kPage;
  if (!command.is_automatic()) return std::nullopt;
  if (command.has_join_room() || command.has_list_rooms()) return Kind::kJoin;
  return std::nullopt;
}

void TurnQueue::Line::DropGone() {
  while (!order.empty() && !waiting.contains(order.front())) order.pop_front();
}

bool TurnQueue::Take(Kind kind, std::uint64_t connection) {
  Line& line = lines_[Index(kind)];
  line.DropGone();
  const bool is_called = line.called == connection;
  if (line.taken < line.limit && (line.order.empty() || is_called)) {
    if (is_called) line.called = 0;
    ++line.taken;
    ++holders_[connection][Index(kind)];
    return true;
  }
  if (line.waiting.insert(connection).second) line.order.push_back(connection);
  return false;
}

void TurnQueue::GiveBack(Kind kind, std::uint64_t connection) {
  const auto holder = holders_.find(connection);
  if (holder == holders_.end() || holder->second[Index(kind)] == 0) return;
  --holder->second[Index(kind)];
  --lines_[Index(kind)].taken;
  const auto& held = holder->second;
  if (std::all_of(held.begin(), held.end(), [](std::size_t count) { return count == 0; })) {
    holders_.erase(holder);
  }
}

void TurnQueue::Forget(std::uint64_t connection) {
  for (Line& line : lines_) line.waiting.erase(connection);
  const auto holder = holders_.find(connection);
  if (holder == holders_.end()) return;
  for (std::size_t i = 0; i < kKinds; ++i) lines_[i].taken -= holder->second[i];
  holders_.erase(holder);
}

std::optional<std::uint64_t> TurnQueue::Call() {
  for (Line& line : lines_) line.called = 0;
  for (Line& line : lines_) {
    line.DropGone();
    if (line.order.empty() || line.taken >= line.limit) continue;
    line.called = line.order.front();
    line.order.pop_front();
    line.waiting.erase(line.called);
    return line.called;
  }
  return std::nullopt;
}

}  // namespace confab::edge
