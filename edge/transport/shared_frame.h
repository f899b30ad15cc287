// shared_frame.h: immutable bytes that wait in many outboxes at once: one allocation, counted; and
// where the same can be read again.
// Owns: the bytes, together with its copies.   Used by: frame_cache (makes), outbox (keeps).
// Threads: confined to the io thread that made it (the count is not atomic: an event is encoded
// once per io thread, and never crosses over).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace confab::edge {

// Where a frame stands in a log that it can be read again from.
struct FramePlace {
  std::uint64_t key = 0;  // Of the log, and of the form it is written in; 0: it stands in none.
  std::int64_t seq = 0;
};

// Frames of that key were dropped unsent, from that seq on.
struct Dropped {
  std::uint64_t key = 0;
  std::int64_t first_seq = 0;
};

class SharedFrame {
 public:
  // Holds nothing.
  SharedFrame() = default;
  SharedFrame(const SharedFrame& other) : body_(other.body_) {
    if (body_ != nullptr) ++body_->count;
  }
  SharedFrame(SharedFrame&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  SharedFrame& operator=(SharedFrame other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~SharedFrame() {
    if (body_ != nullptr && --body_->count == 0) Free(body_);
  }

  // A frame of its own with these bytes, wire-ready. At most 4 GiB.
  static SharedFrame Copy(std::string_view bytes);

  // Valid as long as any copy lives.
  std::string_view bytes() const {
    return body_ == nullptr ? std::string_view() : std::string_view(BytesOf(body_), body_->size);
  }
  size_t size() const { return body_ == nullptr ? 0 : body_->size; }
  FramePlace place() const { return body_ == nullptr ? FramePlace() : body_->place; }
  // REQUIRES: holds something, and nobody else has a copy yet.
  void SetPlace(FramePlace place) { body_->place = place; }
  explicit operator bool() const { return body_ != nullptr; }

  // What all frames of the calling thread take, each counted once.
  static std::ptrdiff_t BytesAlive();

 private:
  friend class Outbox;  // Keeps the pointer together with the delivery class in one word.

  struct alignas(8) Body {
    uint32_t count;
    uint32_t size;
    FramePlace place;
  };
  explicit SharedFrame(Body* body) : body_(body) {}

  static const char* BytesOf(const Body* body) { return reinterpret_cast<const char*>(body + 1); }
  static void Free(Body* body);

  Body* body_ = nullptr;
};

}  // namespace confab::edge
