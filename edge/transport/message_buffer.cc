#include "edge/transport/message_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace confab::edge {

std::span<char> MessageBuffer::Space() {
  if (is_finished_) {
    is_finished_ = false;
    size_ = 0;
    const bool keeps = long_messages_ >= kLongMessages;
    if (keeps && capacity_ != kKeptBytes) Reallocate(kKeptBytes);
    if (!keeps) Clear();
  }
  return {bytes() + size_, capacity_ - size_};
}

bool MessageBuffer::Add(std::size_t n, std::size_t bytes_limit) {
  const bool was_filled = size_ + n == capacity_;
  const bool is_first = !std::exchange(is_assembling_, true);
  size_ += static_cast<std::uint32_t>(n);
  if (capacity_ - size_ < std::max<std::uint32_t>(size_ / 2, 1)) Grow(bytes_limit);
  return was_filled || is_first;
}

// To twice what came: a long message takes few reads, and one that dribbles in is copied few times.
void MessageBuffer::Grow(std::size_t bytes_limit) {
  const std::size_t wanted = std::max<std::size_t>(std::size_t{size_} * 2, kKeptBytes);
  // A limit that was lowered is that of sockets opened since: this one may go on to the one it had.
  const bool is_within = size_ <= bytes_limit;
  const std::size_t capacity = is_within ? std::min(wanted, bytes_limit + 1) : wanted;
  if (capacity > capacity_) Reallocate(capacity);
}

std::string_view MessageBuffer::Finish(std::size_t n) {
  size_ += static_cast<std::uint32_t>(n);
  is_assembling_ = false;
  is_finished_ = true;
  if (size_ > kInlineBytes && long_messages_ < kLongMessages) ++long_messages_;
  if (size_ <= kHeartbeatBytes) OnHeartbeat();
  return {bytes(), size_};
}

void MessageBuffer::Clear() {
  block_.reset();
  capacity_ = kInlineBytes;
  size_ = 0;
  is_assembling_ = false;
  is_finished_ = false;
}

void MessageBuffer::Reallocate(std::size_t capacity) {
  // Not set to zero: what is read from it was written before.
  auto block = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(block.get(), bytes(), size_);
  block_ = std::move(block);
  capacity_ = static_cast<std::uint32_t>(capacity);
}

}  // namespace confab::edge
