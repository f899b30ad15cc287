// What a connection does when its transport had to drop logged frames: each of its rooms is held back
// from live events and read again from the log, from the first event that was dropped. A subscription
// that has ended is kept in mind for that until all of it is sent.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "edge/connection/connection.h"

namespace confab::edge {

namespace {

std::optional<std::int64_t> FirstOf(std::span<const Dropped> dropped, std::uint64_t key) {
  for (const Dropped& one : dropped) {
    if (one.key == key) return one.first_seq;
  }
  return std::nullopt;
}

}  // namespace

void Connection::OnDegraded(std::span<const Dropped> dropped) {
  if (!is_admitted_) return;
  if (recovery_ != nullptr) recovery_->Invalidate();
  if (const auto first = FirstOf(dropped, encoder_.KeyOfInbox())) outlet().OnDropped(*first);
  for (const std::string& room : host_.RoomsOf(*this)) {
    if (const auto first = FirstOf(dropped, encoder_.KeyOfRoom(room))) Heal(room, *first);
  }
  HealEnded(dropped);
  OnDrained();
}

// What lies before the subscription was of an earlier one, which the client has given up.
void Connection::Heal(const std::string& room, std::int64_t first_seq) {
  const std::optional<std::int64_t> since = host_.Hold(*this, room);
  if (!since) return;
  const std::int64_t after_seq = std::max(first_seq - 1, *since);
  PendingJoin* join = FindJoin(room);
  if (join != nullptr && join->held_at) join->held_at = std::min(*join->held_at, after_seq);
  if (RoomReplay* replay = FindReplay(room)) return replay->GoBack(after_seq);
  if (catchup_ == nullptr) catchup_ = std::make_unique<Catchup>();
  RoomReplay& replay = catchup_->replays.emplace_back(room, after_seq);
  // The answer to the JoinRoom that has made it a subscriber comes first.
  if (join == nullptr || !join->has_subscribed) replay.Begin();
}

// Up to the event that ended the subscription the log is still the client's.
void Connection::HealEnded(std::span<const Dropped> dropped) {
  if (catchup_ == nullptr) return;
  for (RoomReplay& replay : catchup_->replays) {
    if (!replay.is_ending()) continue;
    const auto first = FirstOf(dropped, encoder_.KeyOfRoom(replay.room()));
    if (first) replay.GoBack(*first - 1);
  }
  for (EndedRoom& ended : std::exchange(catchup_->ended, {})) {
    const auto first = FirstOf(dropped, encoder_.KeyOfRoom(ended.room));
    // Before `since` lie events of an earlier subscription, which the client has given up.
    const std::int64_t after_seq = std::max(first.value_or(INT64_MAX) - 1, ended.since);
    if (after_seq >= ended.end_seq) {
      catchup_->ended.push_back(std::move(ended));
      continue;
    }
    RoomReplay& replay = catchup_->replays.emplace_back(std::move(ended.room), after_seq);
    replay.EndAt(ended.end_seq, ended.since);
    replay.Begin();
  }
}

void Connection::OnUnsubscribed(std::string_view room, std::int64_t end_seq, std::int64_t since) {
  RoomReplay* replay = FindReplay(room);
  if (replay == nullptr) return RememberEnd({std::string(room), since, end_seq});
  if (end_seq <= replay->after_seq()) {
    DropReplay(room);
    RememberEnd({std::string(room), since, end_seq});
    return Tidy();
  }
  replay->EndAt(end_seq, since);
  Replay();
}

void Connection::RememberEnd(EndedRoom ended) {
  if (ended.end_seq == 0 || transport_->HasRoomBelow(1)) return;
  if (catchup_ == nullptr) catchup_ = std::make_unique<Catchup>();
  ForgetEnd(ended.room);
  // Too many to be kept in mind: the client asks for what it lacks when it comes back.
  if (catchup_->ended.size() == kEndedLimit) return Close(CloseReason::kSlowReader);
  catchup_->ended.push_back(std::move(ended));
}

void Connection::ForgetEnd(std::string_view room) {
  if (catchup_ == nullptr) return;
  std::erase_if(catchup_->ended, [&](const EndedRoom& ended) { return ended.room == room; });
}

void Connection::ForgetEndsSent() {
  if (!catchup_->ended.empty() && transport_->HasRoomBelow(1)) catchup_->ended.clear();
}

}  // namespace confab::edge
