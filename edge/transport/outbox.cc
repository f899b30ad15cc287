#include "edge/transport/outbox.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "edge/transport/ring_store.h"

namespace confab::edge {

Outbox::Outbox(size_t bytes_limit) : bytes_limit_(static_cast<uint32_t>(bytes_limit)) {}

Outbox::~Outbox() { Clear(); }

bool Outbox::Append(SharedFrame frame, DeliveryClass delivery) {
  const size_t size = frame.size();
  if (size == 0) return true;
  if (count_ > 0 && (bytes_ + size > bytes_limit_ || count_ == kFramesLimit)) return false;
  Push(std::move(frame), delivery);
  return true;
}

void Outbox::Push(SharedFrame frame, DeliveryClass delivery) {
  if (count_ == capacity_) Grow();
  bytes_ += static_cast<uint32_t>(frame.size());
  SharedFrame::Body* body = frame.body_;
  frame.body_ = nullptr;  // The slot owns the count now.
  At(count_) = reinterpret_cast<Slot>(body) | static_cast<Slot>(delivery);
  ++count_;
}

bool Outbox::AppendBytes(std::string_view bytes, DeliveryClass delivery) {
  if (count_ > 0 && bytes_ + bytes.size() > bytes_limit_) return false;  // Before copying.
  return Append(SharedFrame::Copy(bytes), delivery);
}

size_t Outbox::Peek(std::span<iovec> parts) const {
  const size_t filled = std::min<size_t>(parts.size(), count_);
  for (uint32_t i = 0; i < filled; ++i) {
    const SharedFrame::Body* body = BodyOf(At(i));
    const uint32_t skip = i == 0 ? front_sent_ : 0;
    parts[i].iov_base = const_cast<char*>(SharedFrame::BytesOf(body) + skip);
    parts[i].iov_len = body->size - skip;
  }
  return filled;
}

size_t Outbox::CopyTo(std::span<char> buffer) const {
  size_t copied = 0;
  for (uint32_t i = 0; i < count_ && copied < buffer.size(); ++i) {
    const SharedFrame::Body* body = BodyOf(At(i));
    const uint32_t skip = i == 0 ? front_sent_ : 0;
    const size_t take = std::min<size_t>(body->size - skip, buffer.size() - copied);
    std::memcpy(buffer.data() + copied, SharedFrame::BytesOf(body) + skip, take);
    copied += take;
  }
  return copied;
}

void Outbox::Consume(size_t bytes) {
  assert(bytes <= bytes_);
  bytes_ -= static_cast<uint32_t>(bytes);
  while (bytes > 0) {
    const size_t left = BodyOf(At(0))->size - front_sent_;
    if (bytes < left) {
      front_sent_ += static_cast<uint32_t>(bytes);
      return;
    }
    bytes -= left;
    PopFront();
  }
  if (count_ == 0) Clear();
}

std::string_view Outbox::Front() const {
  assert(count_ > 0 && is_front_whole());
  const SharedFrame::Body* body = BodyOf(At(0));
  return {SharedFrame::BytesOf(body), body->size};
}

Outbox::Item Outbox::TakeFront() {
  assert(count_ > 0 && is_front_whole());
  const Slot slot = At(0);
  Item item{.frame = SharedFrame(BodyOf(slot)), .delivery = ClassOf(slot)};
  bytes_ -= static_cast<uint32_t>(item.frame.size());
  // The count is the item's now.
  head_ = head_ + 1 == capacity_ ? 0 : head_ + 1;
  if (--count_ == 0) Clear();
  return item;
}

void Outbox::DropUnsent() {
  const std::uint32_t kept = front_sent_ > 0 ? 1 : 0;
  while (count_ > kept) {
    SharedFrame released(BodyOf(At(count_ - 1)));
    --count_;
    bytes_ -= static_cast<std::uint32_t>(released.size());
  }
  if (count_ == 0) Clear();
}

void Outbox::Clear() {
  while (count_ > 0) PopFront();
  FreeRing();
  capacity_ = kInlineSlots;
  head_ = 0;
  bytes_ = 0;
}

Outbox::Slot& Outbox::At(uint32_t index) {
  uint32_t at = head_ + index;
  if (at >= capacity_) at -= capacity_;
  return ring_ != nullptr ? ring_[at] : inline_[at];
}

const Outbox::Slot& Outbox::At(uint32_t index) const {
  return const_cast<Outbox*>(this)->At(index);
}

void Outbox::Grow() {
  const uint32_t capacity = ring_ == nullptr ? RingStore::kSlots : capacity_ * 2;
  Slot* ring = ring_ == nullptr ? RingStore::Take() : new Slot[capacity];
  for (uint32_t i = 0; i < count_; ++i) ring[i] = At(i);
  FreeRing();
  ring_ = ring;
  capacity_ = capacity;
  head_ = 0;
}

void Outbox::FreeRing() {
  if (ring_ == nullptr) return;
  if (capacity_ == RingStore::kSlots) {
    RingStore::GiveBack(ring_);
  } else {
    delete[] ring_;
  }
  ring_ = nullptr;
}

// What a reader that takes nothing leaves in here is mostly the rest of one frame.
void Outbox::Shrink() {
  if (count_ == 0) return Clear();
  if (ring_ == nullptr || count_ > kInlineSlots) return;
  for (uint32_t i = 0; i < count_; ++i) inline_[i] = At(i);
  FreeRing();
  capacity_ = kInlineSlots;
  head_ = 0;
}

void Outbox::PopFront() {
  SharedFrame released(BodyOf(At(0)));
  head_ = head_ + 1 == capacity_ ? 0 : head_ + 1;
  --count_;
  front_sent_ = 0;
}

}  // namespace confab::edge
