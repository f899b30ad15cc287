#include "edge/connection/resumption.h"

#include <algorithm>
#include <utility>

#include "proto/reason.h"

namespace confab::edge {

Resumption::Resumption(v1::Command&& command, std::optional<std::uint64_t> reply_id, SteadyTime now)
    : command_(std::move(command)), reply_id_(reply_id), patient_until_(now + kPatience) {
  auto& rooms = *command_.mutable_resume()->mutable_rooms();
  for (const auto& [id, seq] : rooms) waiting_.push_back({.id = id, .after_seq = seq});
  // A map of protobuf has no order.
  std::sort(waiting_.begin(), waiting_.end(),
            [](const Room& one, const Room& other) { return one.id < other.id; });
  rooms.clear();
}

std::optional<v1::Command> Resumption::Next() {
  if (waiting_.empty() || asked_.size() >= kAtOnce) return std::nullopt;
  asked_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
  v1::Command command;
  command.set_is_automatic(true);
  command.mutable_join_room()->set_room_id(asked_.back().id);
  command.mutable_join_room()->set_after_seq(asked_.back().after_seq);
  return command;
}

void Resumption::OnNotAsked(std::string_view room) {
  const auto asked =
      std::find_if(asked_.begin(), asked_.end(), [&](const Room& one) { return one.id == room; });
  if (asked == asked_.end()) return;
  waiting_.push_front(std::move(*asked));
  asked_.erase(asked);
}

bool Resumption::OnResult(std::string_view room, const v1::Result& result, SteadyTime now) {
  const auto asked =
      std::find_if(asked_.begin(), asked_.end(), [&](const Room& one) { return one.id == room; });
  if (asked == asked_.end()) return false;
  Room decided = std::move(*asked);
  asked_.erase(asked);
  if (!result.has_error()) {
    *Outcome(decided).mutable_joined() = result.join_room();
  } else if (decided.is_left) {
    RefuseLeft(decided);
  } else if (result.error().retryable() && now < patient_until_) {
    waiting_.push_back(std::move(decided));
  } else {
    *Outcome(decided).mutable_error() = result.error();
    return true;
  }
  return false;
}

void Resumption::OnLeft(std::string_view room) {
  for (Room& asked : asked_) asked.is_left |= asked.id == room;
  const auto waiting = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const Room& one) { return one.id == room; });
  if (waiting == waiting_.end()) return;
  RefuseLeft(*waiting);
  waiting_.erase(waiting);
}

void Resumption::GiveUp(const v1::Error& why) {
  for (const Room& room : asked_) *Outcome(room).mutable_error() = why;
  for (const Room& room : waiting_) *Outcome(room).mutable_error() = why;
  asked_.clear();
  waiting_.clear();
}

std::optional<std::int64_t> Resumption::PositionOf(std::string_view room) const {
  for (const Room& asked : asked_) {
    if (asked.id == room && !asked.is_left) return asked.after_seq;
  }
  for (const Room& waiting : waiting_) {
    if (waiting.id == room) return waiting.after_seq;
  }
  return std::nullopt;
}

v1::ResumedRoom& Resumption::Outcome(const Room& room) {
  v1::ResumedRoom& outcome = *answer_.add_rooms();
  outcome.set_room_id(room.id);
  return outcome;
}

void Resumption::RefuseLeft(const Room& room) {
  *Outcome(room).mutable_error() =
      MakeError(v1::REASON_BAD_REQUEST, "the room was left while it was being resumed");
}

v1::Result Resumption::TakeAnswer() {
  v1::Result result;
  *result.mutable_resume() = std::move(answer_);
  return result;
}

}  // namespace confab::edge
