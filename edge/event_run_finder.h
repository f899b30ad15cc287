// event_run_finder.h: which items of an io thread's batch are told as one run of events.
// Used by: io_thread.
// Threads: pure function.
#pragma once

#include <cstddef>
#include <cstdint>

#include <absl/container/inlined_vector.h>

#include "edge/distributor.h"

namespace confab::edge {

struct FoundRun {
  // Each subscriber is looked for among them.
  static constexpr std::size_t kAskersLimit = 8;

  std::size_t end = 0;     // Behind the last item of the run.
  std::size_t events = 0;  // 0: the first item is none that could be told with others.
  // Connections that have a Result between the events: they are told everything in its order.
  absl::InlinedVector<std::uint64_t, kAskersLimit> askers;
};

// From that item on: events of one topic, and Results of messages, which concern nobody but who sent
// them. Whatever else stands between two events ends the run before it.
FoundRun FindRun(const ItemBatch& batch, std::size_t from);

}  // namespace confab::edge
