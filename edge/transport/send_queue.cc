#include "edge/transport/send_queue.h"

#include <utility>

#include "edge/transport/event_loop.h"

namespace confab::edge {

SendQueue::SendQueue(Backlog::Reader& reader, TransportHome& home)
    : home_(home), reader_(reader), outbox_(home.limits.outbox_bytes) {}

SendQueue::~SendQueue() { Account(-static_cast<std::ptrdiff_t>(outbox_.bytes())); }

void SendQueue::Account(std::ptrdiff_t bytes) { home_.loop.AddQueuedBytes(bytes); }

void SendQueue::BeginBacklog() {
  if (backlog_ != nullptr) return;
  backlog_ = std::make_unique<Backlog>(reader_, home_.loop.wheel(), home_.limits.stall_time);
}

void SendQueue::CountDropped(DeliveryClass delivery) {
  if (auto* count = home_.slow.dropped[static_cast<std::size_t>(delivery)]) count->Add();
}

void SendQueue::Note(FramePlace place) {
  if (!backlog_->has_dropped() && home_.slow.degraded != nullptr) home_.slow.degraded->Add();
  backlog_->Note(place);
  CountDropped(DeliveryClass::kLogged);
}

SendQueue::Taken SendQueue::AppendSlowly(const SharedFrame& frame, DeliveryClass delivery) {
  const std::size_t tight = outbox_.bytes_limit() / 2;
  const bool is_live = delivery == DeliveryClass::kDroppable || delivery == DeliveryClass::kLatest;
  if (is_live && (backlog_ != nullptr || outbox_.bytes() >= tight)) {
    if (delivery == DeliveryClass::kDroppable) CountDropped(delivery);
    return Taken::kPassed;
  }
  const bool may_go = !is_live && Outbox::MayGo(frame.place(), delivery);
  if (may_go && has_dropped()) {
    Note(frame.place());
    return Taken::kNoted;
  }
  if (!outbox_.Append(frame, delivery)) {
    if (is_live) return Taken::kPassed;
    Degrade();
    if (may_go) {
      Note(frame.place());
      return Taken::kNoted;
    }
    if (!outbox_.Append(frame, delivery)) return Taken::kTooMuch;
  }
  Account(static_cast<std::ptrdiff_t>(frame.size()));
  if (outbox_.bytes() >= tight) BeginBacklog();
  return Taken::kQueued;
}

void SendQueue::Degrade() {
  BeginBacklog();
  const std::size_t before = outbox_.bytes();
  outbox_.DropWhatMayGo([this](FramePlace place, DeliveryClass delivery) {
    delivery == DeliveryClass::kLogged ? Note(place) : CountDropped(delivery);
  });
  Account(static_cast<std::ptrdiff_t>(outbox_.bytes()) - static_cast<std::ptrdiff_t>(before));
  backlog_->AwaitReader();
}

void SendQueue::DropUnsent() {
  const std::size_t before = outbox_.bytes();
  outbox_.DropUnsent();
  Account(static_cast<std::ptrdiff_t>(outbox_.bytes()) - static_cast<std::ptrdiff_t>(before));
  backlog_.reset();
}

void SendQueue::Consume(std::size_t bytes) {
  outbox_.Consume(bytes);
  Account(-static_cast<std::ptrdiff_t>(bytes));
  if (backlog_ != nullptr) OnTaken();
}

Outbox::Item SendQueue::TakeFront() {
  Outbox::Item item = outbox_.TakeFront();
  Account(-static_cast<std::ptrdiff_t>(item.frame.size()));
  if (backlog_ != nullptr) OnTaken();
  return item;
}

void SendQueue::OnTaken() {
  backlog_->OnTaken();
  if (!backlog_->has_dropped() && outbox_.bytes() < outbox_.bytes_limit() / 4) backlog_.reset();
}

std::vector<Dropped> SendQueue::TakeDropped() {
  return backlog_ == nullptr ? std::vector<Dropped>() : backlog_->TakeDropped();
}

bool SendQueue::HasRoomBelow(std::size_t bytes) {
  const bool is_waiting = backlog_ != nullptr && backlog_->is_waiting();
  if (!is_waiting && outbox_.bytes() < bytes) return true;
  room_wanted_ = std::max(room_wanted_, bytes);
  return false;
}

bool SendQueue::HasRoom() {
  const std::size_t half = outbox_.bytes_limit() / 2;
  return HasRoomBelow(home_.is_pressed ? std::min(half, kRoomUnderPressure) : half);
}

bool SendQueue::HasRoomAgain() {
  if (room_wanted_ == 0 || outbox_.bytes() >= room_wanted_) return false;
  if (backlog_ != nullptr && backlog_->is_waiting()) return false;
  room_wanted_ = 0;
  return true;
}

}  // namespace confab::edge
