// edge_figures.h: what one io thread counts between turns of its loop, and shows as metrics.
// Owns: what was shown last.   Used by: io_thread.
// Threads: confined to the io thread.
#pragma once

#include <cstddef>
#include <vector>

#include <absl/time/time.h>
#include <google/protobuf/timestamp.pb.h>

#include "edge/edge_metrics.h"

namespace confab::edge {

class EdgeFigures {
 public:
  explicit EdgeFigures(EdgeMetrics& metrics) : metrics_(metrics) {}

  // An event reached `count` connections.
  void OnDelivered(std::size_t count, const google::protobuf::Timestamp& created_at);
  // At the end of a turn, when what was delivered is written.
  void OnTurnEnd(std::ptrdiff_t outbox_bytes);
  // Now and then, on the thread's own loop.
  void Show(std::size_t subscriptions, std::size_t commands_waiting);

 private:
  // Times of a turn's events beyond this are not looked at: a figure, not an account.
  static constexpr std::size_t kDeliveredLimit = 256;

  EdgeMetrics& metrics_;
  std::vector<absl::Time> delivered_;  // created_at of this turn's events.
  std::ptrdiff_t shown_outbox_bytes_ = 0;
  std::size_t shown_subscriptions_ = 0;
  std::size_t shown_waiting_ = 0;
  std::size_t shown_frames_ = 0;
};

}  // namespace confab::edge
