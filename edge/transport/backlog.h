// backlog.h: what is remembered of a reader while it is slow: what of the log was dropped and is to
// be read again, and how long it has taken nothing.
// Owns: its timer.   Used by: send_queue.
// Threads: confined to the io thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include "edge/transport/shared_frame.h"
#include "edge/transport/timer_wheel.h"

namespace confab::edge {

class Backlog final : private TimerWheel::Entry {
 public:
  // The reader's transport.
  class Reader {
   public:
    // What is under way to it, and stands in no outbox any more; always 0 where that is not known.
    virtual std::size_t BytesUnderWay() { return 0; }
    // It has taken nothing for the whole stall time. May destroy the backlog.
    virtual void OnStalled() = 0;

   protected:
    ~Reader() = default;
  };

  // Both outlive this object. `stall_time` 0: no limit.
  Backlog(Reader& reader, TimerWheel& wheel, absl::Duration stall_time);

  // A frame that stands there is not sent.
  void Note(FramePlace place);
  bool has_dropped() const { return !first_of_.empty(); }
  // Since the last call; each key once.
  std::vector<Dropped> TakeDropped();

  // Frames were dropped because of it: before it has taken something, none is to be read again.
  void AwaitReader() { is_awaiting_reader_ = true; }
  void OnTaken() {
    is_awaiting_reader_ = false;
    has_taken_ = true;
  }

  // True: what was dropped is still to be told, or the reader shows no sign of life.
  bool is_waiting() const { return is_awaiting_reader_ || has_dropped(); }

 private:
  // How often the reader is looked at within the stall time.
  static constexpr int kChecks = 8;

  void OnTimer() override;

  Reader& reader_;
  TimerWheel& wheel_;
  const absl::Duration pause_;
  absl::flat_hash_map<std::uint64_t, std::int64_t> first_of_;  // First seq dropped, by key.
  std::size_t under_way_;                                      // At the last look.
  int idle_checks_ = 0;
  bool has_taken_ = false;  // Since the last look.
  bool is_awaiting_reader_ = false;
};

}  // namespace confab::edge
