// outbox.h: what one transport still has to send, in order, bounded in bytes. No I/O.
// Owns: its share of the queued frames.   Used by: send_queue (fills it, frees it of what may go),
// transport (Peek, Consume). Threads: confined to the transport's io thread. Fails: Append says false
// when over the limit; nothing was appended then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <sys/uio.h>

#include "edge/transport/shared_frame.h"

namespace confab::edge {

// What may happen to a frame when the reader is slow.
enum class DeliveryClass : uint8_t {
  kControl = 0,    // Acks, pings, handshake: never dropped.
  kLogged = 1,     // Can be read again from the room's log.
  kLatest = 2,     // Only the newest of its key matters.
  kDroppable = 3,  // May be lost.
};

inline constexpr int kDeliveryClassCount = 4;

class Outbox {
 public:
  static constexpr size_t kBytesLimit = 1024 * 1024;  // DESIGN.md section 7; the default.
  // Tiny frames cost a pointer each: 32,768 of them are 256 KiB beside the bytes.
  static constexpr size_t kFramesLimit = 32'768;

  explicit Outbox(size_t bytes_limit = kBytesLimit);
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox();

  // Queues a wire-ready frame. False: it does not fit (bytes or frames), nothing happened. An empty
  // outbox takes one frame of any size.
  [[nodiscard]] bool Append(SharedFrame frame, DeliveryClass delivery);

  // The same where the reader keeps up: what waits then is no more than half of the limit.
  [[nodiscard]] bool TryAppend(const SharedFrame& frame, DeliveryClass delivery) {
    if (bytes_ + frame.size() > bytes_limit_ / 2 || count_ == kFramesLimit) return false;
    if (frame.size() > 0) Push(frame, delivery);
    return true;
  }

  // The same for bytes of this transport alone; they are copied.
  [[nodiscard]] bool AppendBytes(std::string_view bytes, DeliveryClass delivery);

  bool empty() const { return count_ == 0; }
  size_t bytes() const { return bytes_; }  // Not yet consumed.
  size_t frames() const { return count_; }
  size_t bytes_limit() const { return bytes_limit_; }

  // The front of the queue, as views that stay valid until Consume or Clear. Returns how many of
  // `parts` were filled.
  size_t Peek(std::span<iovec> parts) const;

  // Copies as much of the front of the queue as fits into `buffer`; returns how much.
  size_t CopyTo(std::span<char> buffer) const;

  // The first `bytes` were sent. REQUIRES: bytes <= this->bytes(). An emptied outbox gives its
  // memory back.
  void Consume(size_t bytes);

  // Nothing of the first frame was consumed.
  bool is_front_whole() const { return front_sent_ == 0; }
  // The first frame, as it was appended. REQUIRES: !empty(), is_front_whole().
  std::string_view Front() const;
  // Takes it out.
  struct Item {
    SharedFrame frame;
    DeliveryClass delivery = DeliveryClass::kControl;
  };
  Item TakeFront();

  // Forgets what waits, except the rest of a frame that is partly sent already.
  void DropUnsent();

  // The same for those that may go alone: droppable ones, and logged ones that have a place to be
  // read again from. `on_dropped(place, class)` is told of each, the oldest first.
  template <typename OnDropped>
  void DropWhatMayGo(OnDropped&& on_dropped) {
    const uint32_t first = front_sent_ > 0 ? 1 : 0;
    uint32_t kept = first;
    for (uint32_t i = first; i < count_; ++i) {
      const Slot slot = At(i);
      const FramePlace place = BodyOf(slot)->place;
      const DeliveryClass delivery = ClassOf(slot);
      if (!MayGo(place, delivery)) {
        At(kept++) = slot;
        continue;
      }
      const SharedFrame released(BodyOf(slot));
      bytes_ -= static_cast<uint32_t>(released.size());
      on_dropped(place, delivery);
    }
    count_ = kept;
    Shrink();
  }
  static bool MayGo(FramePlace place, DeliveryClass delivery) {
    return delivery == DeliveryClass::kDroppable ||
           (delivery == DeliveryClass::kLogged && place.key != 0);
  }

  // Forgets everything.
  void Clear();

 private:
  // A frame and its class in one word: bodies are aligned to 8, the class stands in the low 2 bits.
  using Slot = uintptr_t;
  static constexpr uint32_t kInlineSlots = 3;

  static constexpr Slot kClassMask = 3;

  static SharedFrame::Body* BodyOf(Slot slot) {
    return reinterpret_cast<SharedFrame::Body*>(slot & ~kClassMask);
  }
  static DeliveryClass ClassOf(Slot slot) { return static_cast<DeliveryClass>(slot & kClassMask); }
  void Push(SharedFrame frame, DeliveryClass delivery);
  Slot& At(uint32_t index);
  const Slot& At(uint32_t index) const;
  void Grow();
  void FreeRing();
  void Shrink();
  void PopFront();

  Slot* ring_ = nullptr;            // Null: the inline slots are in use.
  Slot inline_[kInlineSlots] = {};  // One ack or a short burst allocates nothing.
  uint32_t capacity_ = kInlineSlots;
  uint32_t head_ = 0;
  uint32_t count_ = 0;
  uint32_t front_sent_ = 0;  // Bytes of the first frame that are gone already.
  uint32_t bytes_ = 0;
  uint32_t bytes_limit_;
};

static_assert(sizeof(Outbox) <= 64, "an idle connection's outbox is one cache line");

}  // namespace confab::edge
