// tail_sink.h: seam; where the events of a followed room go (api's TailEvents fills it).
// Used by: room_audience.
// Threads: a sink is called on one lane thread, one call at a time; it must not block.
// Fails: never; a sink without room says so and is served again later.
#pragma once

#include <absl/status/status.h>

#include "confab/v1/types.pb.h"

namespace confab::control {

class TailSink {
 public:
  virtual ~TailSink() = default;
  // Takes the next event, or answers false if there is no room for it now: then the tail waits
  // for Tail::Resume and offers it again (read from the log, so nothing is kept meanwhile).
  virtual bool Offer(const v1::Event& event) = 0;
  // The tail has ended; nothing follows. Not called after the Tail was destroyed.
  virtual void End(absl::Status why) = 0;
};

// A running tail; destroying it ends it (a call of the sink may still be under way).
// Threads: any thread.
class Tail {
 public:
  virtual ~Tail() = default;
  // The sink has room again.
  virtual void Resume() = 0;
};

}  // namespace confab::control
