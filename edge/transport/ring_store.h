// ring_store.h: memory for outboxes in which more waits than they hold by themselves: kept for the next
// burst, in which a thousand of them want it within one turn, beyond what malloc keeps at hand.
// Measured by outbox/burst.
// Owns: the rings that no outbox uses, at most kKeptLimit of a thread.   Used by: outbox.
// Threads: each has its own store; a ring may be given back to another one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace confab::edge {

class RingStore {
 public:
  // Of a ring: most bursts fit, and one is 256 bytes.
  static constexpr std::uint32_t kSlots = 32;
  // 256 KiB.
  static constexpr std::size_t kKeptLimit = 1'024;

  // kSlots slots, of any content.
  static std::uintptr_t* Take();
  static void GiveBack(std::uintptr_t* ring);
  // By the calling thread.
  static std::size_t kept();
};

}  // namespace confab::edge
