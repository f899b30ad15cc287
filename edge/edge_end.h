// edge_end.h: how a process that has an edge waits for its end, and ends it.
// Used by: main, tools/confab.   Threads: main's.
#pragma once

#include <functional>

#include <absl/time/time.h>

#include "edge/edge.h"
#include "process/signals.h"

namespace confab::edge {

// Over how long clients are to be closed.
struct EdgeEnd {
  absl::Duration drain_time;
  bool is_signalled = false;  // By TERM; else control wants it.
};

// Until TERM, or until control wants the edge to drain; `reload` is called on HUP.
EdgeEnd AwaitEdgeEnd(process::Signals& signals, const Edge& edge, absl::Duration drain_time,
                     const std::function<void()>& reload);

// Drains, with a line in the log each second, then stops. After `stop_time` without a drain, else
// after the drain's time and 5 s it returns at the latest. A second TERM ends the process at once.
void EndEdge(Edge& edge, process::Signals& signals, const EdgeEnd& end, absl::Duration stop_time);

}  // namespace confab::edge
