// timer_wheel.h: coarse timers of one io thread: O(1) to arm and cancel, no allocation, no clock:
// the owner calls Tick at a steady pace. Owns: nothing; entries are part of the objects they wake.
// Used by: io_thread, transports. Threads: confined to the io thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <absl/time/time.h>

namespace confab::edge {

class TimerWheel {
  struct Link {
    Link* next = nullptr;
    Link* previous = nullptr;
  };

 public:
  // Derive from it, or hold members of a derived type. Going out of scope cancels.
  class Entry : private Link {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    virtual ~Entry() { Cancel(); }

    bool is_armed() const { return next != nullptr; }
    void Cancel();

   private:
    friend class TimerWheel;

    // Called once per Arm, from Tick. May arm, cancel or destroy any entry, this one too.
    virtual void OnTimer() = 0;

    uint64_t due_tick_ = 0;
  };

  // Heartbeats and handshake limits are seconds: a quarter of one is fine enough.
  static constexpr absl::Duration kTick = absl::Milliseconds(250);

  explicit TimerWheel(absl::Duration tick = kTick);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();  // Entries still armed are disarmed.

  // Fires in the first Tick at which `delay` has passed for sure: never early, at most one tick and
  // the owner's lateness late. Arms anew if armed already.
  void Arm(Entry& entry, absl::Duration delay);

  // One tick has passed. Runs what is due, in the order of arming.
  void Tick();

  absl::Duration tick() const { return tick_; }

 private:
  // 64 s a turn with the default tick: the 25 s of a heartbeat are met once.
  static constexpr size_t kSlots = 256;

  static void InsertBefore(Link& where, Entry& entry);

  const absl::Duration tick_;
  uint64_t now_tick_ = 0;
  std::array<Link, kSlots> slots_;
};

}  // namespace confab::edge
