#include "edge/control_link/pending_requests.h"

#include <algorithm>
#include <utility>

#include "edge/control_link/item_bytes.h"
#include "proto/reason.h"

namespace confab::edge {
namespace {

bool IsSafeToRepeat(const v1::Command& command) {
  switch (command.command_case()) {
    case v1::Command::kPostMessage:
      return !command.post_message().client_msg_id().empty();
    case v1::Command::kPublish:
      return !command.publish().idempotency_key().empty();
    case v1::Command::kNotify:
      return !command.notify().notification().idempotency_key().empty();
    case v1::Command::kCreateRoom:  // Repeated, it finds the room it made: whose is it?
      return false;
    case v1::Command::kUpdateRoom:  // Repeated, they find the room and the user so already.
    case v1::Command::kChangeMember:
    case v1::Command::kJoinRoom:  // Repeated, it finds the member there already.
    case v1::Command::kLeaveRoom:
    case v1::Command::kGetHistory:
    case v1::Command::kReplayPage:
    case v1::Command::kGetRoom:
    case v1::Command::kListRooms:
    case v1::Command::kListMembers:
    case v1::Command::kBecomeMember:
    case v1::Command::kQuitRoom:
    case v1::Command::kEditMessage:
    case v1::Command::kDeleteMessage:  // Repeated, it finds the message gone, as was asked.
    case v1::Command::kMarkRead:
    case v1::Command::kHeartbeat:
    case v1::Command::kSetTyping:
    case v1::Command::kRefreshToken:
    case v1::Command::kSetStatus:
    case v1::Command::kGetPresence:
    case v1::Command::kReadInbox:
    case v1::Command::kAckInbox:
    case v1::Command::kResume:
    case v1::Command::COMMAND_NOT_SET:
      return true;
  }
  return false;
}

uint32_t MillisecondsLeft(SteadyTime now, SteadyTime deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(left, 1, UINT32_MAX));
}

}  // namespace

v1::Error ErrorOfExpiry(const PendingRequest& request) {
  if (!request.was_sent) {
    return MakeError(v1::REASON_UNAVAILABLE, "the service cannot be reached right now");
  }
  if (IsSafeToRepeat(request.command)) {
    return MakeError(v1::REASON_UNAVAILABLE, "no answer in time; repeating it is safe");
  }
  return MakeError(
      v1::REASON_OUTCOME_UNKNOWN,
      "no answer in time; it may have been done: look, before you do it again (a message with "
      "clientMsgId can be sent again safely)");
}

PendingRequests::PendingRequests(uint8_t thread_index, size_t count_limit, size_t bytes_limit)
    : thread_index_(thread_index), count_limit_(count_limit), bytes_limit_(bytes_limit) {}

const PendingRequest* PendingRequests::Add(v1::Command&& command, std::optional<uint64_t> reply_id,
                                           SteadyTime now, SteadyTime deadline) {
  const size_t bytes = BytesOf(command);
  if (size_ >= count_limit_ || bytes_ + bytes > bytes_limit_) return nullptr;
  if (slots_.size() >= kHolesPerRequest * count_limit_) return nullptr;
  const uint64_t number = first_ + slots_.size();
  Slot& slot = slots_.emplace_back();
  PendingRequest& request = slot.request.emplace();
  request.command = std::move(command);
  request.command.set_request(number << 8 | thread_index_);
  request.command.set_deadline_ms(MillisecondsLeft(now, deadline));
  request.reply_id = reply_id;
  request.sent_at = now;
  request.deadline = deadline;
  slot.bytes = bytes;
  bytes_ += bytes;
  ++size_;
  return &request;
}

void PendingRequests::MarkSent(uint64_t request) {
  if (Slot* slot = Find(request)) slot->request->was_sent = true;
}

std::optional<PendingRequest> PendingRequests::Complete(uint64_t request) {
  Slot* slot = Find(request);
  if (slot == nullptr) return std::nullopt;
  PendingRequest taken = Take(*slot);
  PopAnswered();
  return taken;
}

std::vector<const v1::Command*> PendingRequests::Unanswered(SteadyTime now) {
  std::vector<const v1::Command*> commands;
  commands.reserve(size_);
  for (Slot& slot : slots_) {
    if (!slot.request || slot.request->deadline <= now) continue;
    slot.request->command.set_deadline_ms(MillisecondsLeft(now, slot.request->deadline));
    commands.push_back(&slot.request->command);
  }
  return commands;
}

std::vector<PendingRequest> PendingRequests::Expire(SteadyTime now) {
  std::vector<PendingRequest> expired;
  for (Slot& slot : slots_) {
    if (slot.request && slot.request->deadline <= now) expired.push_back(Take(slot));
  }
  PopAnswered();
  return expired;
}

size_t PendingRequests::Drop(uint64_t connection) {
  const size_t before = size_;
  for (Slot& slot : slots_) {
    if (slot.request && slot.request->command.connection() == connection) Take(slot);
  }
  PopAnswered();
  return before - size_;
}

PendingRequests::Slot* PendingRequests::Find(uint64_t request) {
  if ((request & 0xff) != thread_index_) return nullptr;
  const uint64_t number = request >> 8;
  if (number < first_ || number - first_ >= slots_.size()) return nullptr;
  Slot& slot = slots_[number - first_];
  return slot.request ? &slot : nullptr;
}

PendingRequest PendingRequests::Take(Slot& slot) {
  PendingRequest taken = std::move(*slot.request);
  slot.request.reset();
  bytes_ -= slot.bytes;
  --size_;
  return taken;
}

void PendingRequests::PopAnswered() {
  while (!slots_.empty() && !slots_.front().request) {
    slots_.pop_front();
    ++first_;
  }
}

}  // namespace confab::edge
