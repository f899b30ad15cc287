#include "edge/edge_end.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "process/log.h"

namespace confab::edge {

namespace {

// How often it is looked whether somebody is left.
constexpr absl::Duration kLook = absl::Milliseconds(100);
constexpr absl::Duration kLogInterval = absl::Seconds(1);

// Behind the last client's slot: its commands are answered within 3 s (control's time for them).
constexpr absl::Duration kLastAnswers = absl::Seconds(3);
// Then whoever is left is told to come back. Together 5 s.
constexpr absl::Duration kLastStop = absl::Milliseconds(1500);

void Log(const Edge::DrainFigures& figures, std::size_t clients, absl::Duration left) {
  process::LogInfo(
      "draining",
      {{"clients", static_cast<std::int64_t>(figures.clients)},
       {"closed", static_cast<std::int64_t>(clients - std::min(clients, figures.clients))},
       {"commands", static_cast<std::int64_t>(figures.commands)},
       {"seconds_left",
        absl::ToInt64Seconds(absl::Ceil(std::max(left, absl::ZeroDuration()), absl::Seconds(1)))}});
}

// Steady: a wall clock that jumps must not prolong it.
absl::Duration Since(std::chrono::steady_clock::time_point start) {
  return absl::FromChrono(std::chrono::steady_clock::now() - start);
}

void Drain(Edge& edge, process::Signals& signals, const EdgeEnd& end) {
  const auto start = std::chrono::steady_clock::now();
  bool is_signalled = end.is_signalled;
  edge.BeginDrain(end.drain_time);
  std::size_t clients = 0;
  absl::Duration next_log = absl::ZeroDuration();
  for (;;) {
    const Edge::DrainFigures figures = edge.drain_figures();
    const absl::Duration passed = Since(start);
    clients = std::max(clients, figures.clients);
    if (figures.is_over || passed >= end.drain_time + kLastAnswers) {
      return Log(figures, clients, end.drain_time - passed);
    }
    if (passed >= next_log) {
      if (passed >= kLogInterval) Log(figures, clients, end.drain_time - passed);
      next_log += kLogInterval;
    }
    const bool is_first = signals.Wait(kLook) == process::Signal::kTerminate && !is_signalled;
    if (!is_first) continue;
    // Who drained the edge by control may well end it by a supervisor meanwhile.
    is_signalled = true;
    signals.LetSecondSignalKill();
  }
}

}  // namespace

EdgeEnd AwaitEdgeEnd(process::Signals& signals, const Edge& edge, absl::Duration drain_time,
                     const std::function<void()>& reload) {
  for (;;) {
    if (const auto wanted = edge.drain_wanted()) return {.drain_time = *wanted};
    switch (signals.Wait()) {
      case process::Signal::kTerminate:
        return {.drain_time = drain_time, .is_signalled = true};
      case process::Signal::kReload:
        reload();
        break;
      case process::Signal::kWake:
      case process::Signal::kNone:
        break;
    }
  }
}

void EndEdge(Edge& edge, process::Signals& signals, const EdgeEnd& end, absl::Duration stop_time) {
  if (end.is_signalled) signals.LetSecondSignalKill();
  process::LogInfo("the edge ends", {{"drain_time", absl::FormatDuration(end.drain_time)},
                                     {"by", end.is_signalled ? "signal" : "control"}});
  if (end.drain_time == absl::ZeroDuration()) return edge.Stop(stop_time);
  Drain(edge, signals, end);
  edge.Stop(kLastStop);
}

}  // namespace confab::edge
