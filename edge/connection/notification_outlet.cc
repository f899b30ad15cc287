#include "edge/connection/notification_outlet.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "edge/connection/connection.h"

namespace confab::edge {

namespace {

PushPriority PriorityOf(v1::NotificationPriority priority) {
  if (priority == v1::NOTIFICATION_PRIORITY_HIGH) return PushPriority::kHigh;
  if (priority == v1::NOTIFICATION_PRIORITY_LOW) return PushPriority::kLow;
  return PushPriority::kNormal;
}

// What a newer signal takes the place of; empty: nothing. No key of a notification begins like that.
std::string KeyOf(const v1::Signal& signal) {
  if (signal.has_presence()) return fmt::format("\x01p{}", signal.presence().user_id());
  if (!signal.has_read_pointer()) return {};
  const v1::ReadPointer& pointer = signal.read_pointer();
  return fmt::format("\x01r{}:{}{}", pointer.room_id().size(), pointer.room_id(),
                     pointer.user_id());
}

}  // namespace

void NotificationOutlet::Keep(const v1::Signal& signal, const SharedFrame& frame, SteadyTime now) {
  WaitingPush push;
  push.frame = frame;
  push.delivery = DeliveryClass::kLatest;
  push.priority = PushPriority::kNormal;
  push.key = KeyOf(signal);
  push.goes_last = true;  // Behind a snapshot that came in between.
  push.number = NumberNow();
  waiting_.Push(std::move(push));
  GoOn(now);
}

void NotificationOutlet::OnState(const v1::InboxState& state) {
  if (!connection_.encoder().can_notify()) return;
  inbox_.OnState(state.acked_seq(), state.last_seq());
  acked_seq_ = std::max(acked_seq_, state.acked_seq());
  AskPage();
}

void NotificationOutlet::Offer(const v1::PushedNotification& pushed, const SharedFrame& frame,
                               SteadyTime now) {
  if (pushed.notification().inbox_seq() > 0) {
    const std::int64_t inbox_seq = pushed.notification().inbox_seq();
    const bool has_room = MayTellInbox() && connection_.transport().HasRoom();
    if (!inbox_.OnLive(inbox_seq, has_room)) return AskPage();
    TellInbox(frame, inbox_seq);
    return Acknowledge();
  }
  WaitingPush push;
  push.frame = frame;
  push.priority = PriorityOf(pushed.priority());
  push.delivery = pushed.delivery_class() == v1::DELIVERY_CLASS_LATEST ? DeliveryClass::kLatest
                                                                       : DeliveryClass::kDroppable;
  push.number = NumberNow();
  const bool is_low = push.priority == PushPriority::kLow;
  // The usual case: nothing waits, and the outbox is as good as empty.
  if (!is_low && waiting_.empty() && connection_.transport().HasRoomBelow(kOutboxBytes)) {
    connection_.transport().Send(frame, push.delivery);
    return;
  }
  if (push.delivery == DeliveryClass::kLatest) push.key = pushed.conflation_key();
  if (pushed.ttl_ms() > 0) push.expires_at = now + std::chrono::milliseconds(pushed.ttl_ms());
  waiting_.Push(std::move(push));
  if (is_low && !std::exchange(is_awaiting_tick_, true)) host_.ReplayLater(connection_);
  GoOn(now);
}

std::uint64_t NotificationOutlet::NumberNow() const {
  const Recoverable* own = connection_.recovery();
  return own == nullptr ? 0 : own->number();
}

void NotificationOutlet::OnTick(SteadyTime now) {
  is_awaiting_tick_ = false;
  waiting_.Release();
  AskPage();
  GoOn(now);
}

void NotificationOutlet::GoOn(SteadyTime now) {
  HandOverPages();
  while (!waiting_.empty() && connection_.transport().HasRoomBelow(kOutboxBytes)) {
    const std::optional<WaitingPush> next = waiting_.Take(now);
    if (!next) break;
    connection_.transport().Send(next->frame, next->delivery);
    if (Recoverable* own = connection_.recovery()) own->OnSentLate(next->number);
  }
  CountDropped();
  Acknowledge();
}

void NotificationOutlet::CountDropped() {
  const PushQueue::Dropped dropped = waiting_.TakeDropped();
  if (dropped.over_limit + dropped.expired > 0) host_.CountDropped(dropped);
}

// --- the inbox

void NotificationOutlet::TellInbox(const SharedFrame& frame, std::int64_t inbox_seq) {
  connection_.transport().Send(frame, DeliveryClass::kLogged);
  if (!connection_.encoder().asks_inbox_acks()) return;
  if (awaited_ == nullptr) awaited_ = std::make_unique<AwaitedAcks>();
  awaited_->OnTold(inbox_seq);
}

void NotificationOutlet::HandOverPages() {
  std::string scratch;
  while (const v1::Notification* next = inbox_.Next()) {
    // A client may take its time, and no page stays in memory for it.
    if (!MayTellInbox()) return inbox_.DropPage();
    if (!connection_.transport().HasRoom()) return;
    Recoverable::Alone alone(connection_.recovery());
    const SharedFrame frame = connection_.encoder().EncodeLogged(*next, scratch);
    if (frame) {
      TellInbox(frame, next->inbox_seq());
      alone.OnSent();
    }
    inbox_.Take();
  }
  AskPage();
}

void NotificationOutlet::AskPage() {
  if (!inbox_.WantsPage() || !MayTellInbox() || !connection_.transport().HasRoom()) return;
  v1::Command command;
  command.mutable_read_inbox()->set_after_seq(inbox_.seq());
  if (!Forward(std::move(command))) return host_.ReplayLater(connection_);
  inbox_.OnAsked();
}

bool NotificationOutlet::OnAck(std::uint64_t id) {
  if (awaited_ == nullptr || !awaited_->OnAck(id)) return false;
  Acknowledge();
  AskPage();
  return true;
}

void NotificationOutlet::OnLeaving() {
  if (awaited_ != nullptr && awaited_->acked_seq() > acked_seq_) ForwardAck(awaited_->acked_seq());
}

// How far that is for us to say; 0: it is not. Where a client has no way to say so, what the kernel
// (or a poll) has taken from us counts as dealt with.
std::int64_t NotificationOutlet::DealtWithSeq() const {
  const EventEncoder& encoder = connection_.encoder();
  if (encoder.asks_inbox_acks()) return awaited_ == nullptr ? 0 : awaited_->acked_seq();
  return encoder.can_ack_inbox() ? 0 : inbox_.seq();
}

void NotificationOutlet::Acknowledge() {
  if (is_acking_) return;
  const std::int64_t inbox_seq = DealtWithSeq();
  if (inbox_seq <= acked_seq_) {
    if (awaited_ != nullptr && awaited_->empty()) awaited_.reset();
    return;
  }
  if (awaited_ == nullptr && !connection_.transport().HasRoomBelow(1)) return;
  if (!ForwardAck(inbox_seq)) return host_.ReplayLater(connection_);
  is_acking_ = true;
}

bool NotificationOutlet::ForwardAck(std::int64_t inbox_seq) {
  v1::Command command;
  command.mutable_ack_inbox()->set_inbox_seq(inbox_seq);
  return Forward(std::move(command));
}

bool NotificationOutlet::Forward(v1::Command&& command) {
  command.set_connection(connection_.id());
  command.set_is_automatic(true);
  return host_.Forward(std::move(command), std::nullopt);
}

void NotificationOutlet::OnAnswer(const v1::Command& command, const v1::Result& result) {
  if (command.has_ack_inbox()) {
    if (result.has_error() && result.error().retryable()) return OnNoAnswer(command);
    is_acking_ = false;
    if (!result.has_ack_inbox()) return;  // The next one says it too.
    acked_seq_ = std::max(acked_seq_, command.ack_inbox().inbox_seq());
    return Acknowledge();
  }
  if (result.has_error() && !result.error().retryable()) return inbox_.OnNoPage();
  if (!result.has_inbox_page()) return OnNoAnswer(command);
  inbox_.OnPage(result.inbox_page());
  HandOverPages();
  Acknowledge();
}

void NotificationOutlet::OnNoAnswer(const v1::Command& command) {
  if (command.has_ack_inbox()) {
    is_acking_ = false;
  } else {
    inbox_.OnNoPage();
  }
  host_.ReplayLater(connection_);
}

}  // namespace confab::edge
