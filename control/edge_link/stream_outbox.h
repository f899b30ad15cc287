// stream_outbox.h: what still has to be sent on one edge's stream, bounded in bytes.
// Owns: the items.   Used by: attached_edge.
// Threads: caller serialises.
// Fails: Push answers false when the limit is passed; then the stream is to be dropped.
#pragma once

#include <cstddef>
#include <deque>

#include <absl/types/span.h>

#include "confab/v1/edge_link.pb.h"

namespace confab::control {

class StreamOutbox {
 public:
  // DESIGN 4: above it the stream is dropped and the edge heals from the log.
  static constexpr size_t kBytesLimit = 32 * 1024 * 1024;
  // One write: large enough to carry thousands of events, small enough that what comes next does
  // not wait long, and below the 4 MiB that gRPC takes by default even with one item too much.
  static constexpr size_t kWriteBytesLimit = 512 * 1024;

  // Moves out of the items. False: too much waits.
  [[nodiscard]] bool Push(absl::Span<v1::ControlItem> items);

  // Fills `response` with the next items, in order. False: there are none.
  bool Take(v1::AttachResponse& response);

  void Clear();

  // Of what waits, by estimate.
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    v1::ControlItem item;
    size_t bytes = 0;
  };
  std::deque<Entry> queue_;
  size_t bytes_ = 0;
};

}  // namespace confab::control
