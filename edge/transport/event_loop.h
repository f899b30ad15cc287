// event_loop.h: one io thread's loop: posted work, the timer wheel's pace, one flush a turn.
// Owns: the io_context, the list of what is dirty.
// Used by: io_thread (Run), listener, websocket_transport.
// Threads: confined to the io thread, except Post and Stop (any thread).
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include <absl/functional/any_invocable.h>

#include "edge/transport/timer_wheel.h"

namespace boost::asio {
class io_context;
}

namespace confab::edge {

class EventLoop {
 public:
  // Has something to write, once, however often it was marked during the turn.
  class Flushable {
   public:
    Flushable(const Flushable&) = delete;
    Flushable& operator=(const Flushable&) = delete;

   protected:
    Flushable() = default;
    virtual ~Flushable();

    // Fetches the object's first cache lines: with thousands of sockets they are cold by the time
    // their turn comes.
    void Prefetch() const {
      for (int line = 0; line < kPrefetchLines; ++line) {
        __builtin_prefetch(reinterpret_cast<const char*>(this) + 64 * line, 1);
      }
    }

   private:
    friend class EventLoop;
    virtual void Flush() = 0;

    static constexpr int kPrefetchLines = 3;

    EventLoop* dirty_in_ = nullptr;
    std::size_t dirty_index_ = 0;
  };

  // What is called after every flush: figures that need one look a turn.
  using TurnEnd = absl::AnyInvocable<void()>;

  // `tick` is how fine its timers are.
  explicit EventLoop(absl::Duration tick = TimerWheel::kTick);
  ~EventLoop();  // Destroys what is still queued, unrun.
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs until Stop, on the calling thread.
  void Run();
  void Stop();

  // Runs `work` on the loop's thread, after what was posted before it.
  void Post(absl::AnyInvocable<void()> work);

  // Flush() of `flushable` runs when the handlers that are ready now have run, together with that of
  // everything else that is dirty.
  void MarkDirty(Flushable& flushable);

  // One look at the clock for all that a turn does: as of when something in it first asked. For limits
  // and figures; whoever asks late in a long turn is told too little.
  // Measured by connection/message_in.
  std::chrono::steady_clock::time_point now();

  void SetTurnEnd(TurnEnd turn_end) { turn_end_ = std::move(turn_end); }

  TimerWheel& wheel() { return wheel_; }
  boost::asio::io_context& context() { return *context_; }

  // Bytes that wait in all outboxes of this loop.
  void AddQueuedBytes(std::ptrdiff_t bytes) { queued_bytes_ += bytes; }
  std::ptrdiff_t queued_bytes() const { return queued_bytes_; }

 private:
  struct Ticker;

  // Posts FlushAll, once a turn.
  void EndTurnLater();
  void FlushAll();

  std::unique_ptr<boost::asio::io_context> context_;
  TimerWheel wheel_;
  std::unique_ptr<Ticker> ticker_;
  std::vector<Flushable*> dirty_;     // Null: destroyed meanwhile.
  std::vector<Flushable*> flushing_;  // The turn's list while it is worked on.
  TurnEnd turn_end_;
  std::chrono::steady_clock::time_point now_;  // As of this turn, if has_now_.
  bool has_now_ = false;
  bool is_end_posted_ = false;
  std::ptrdiff_t queued_bytes_ = 0;
};

}  // namespace confab::edge
