// edge_stream.h: seam; what carries items to one attached edge. attached_edge fills it, tests
// record with it.
// Used by: edge_outbox (Send), edge_registry (Close).
// Threads: any thread.
// Fails: never blocks and never reports: a stream that is gone or too far behind drops what it is
// given and is detached by its owner; the edge heals by attaching again.
#pragma once

#include <cstddef>
#include <cstdint>

#include <absl/status/status.h>
#include <absl/types/span.h>

#include "confab/v1/edge_link.pb.h"

#include "control/fanout/item_batch.h"

namespace confab::control {

class EdgeStream {
 public:
  virtual ~EdgeStream() = default;

  // Queues the items in order; those of one batch stay together. Returns how many Subscribe items this
  // stream had taken before these (see TopicReleased.subscribes_seen). REQUIRES: the batch is not null,
  // and nobody else holds it.
  virtual uint64_t Send(ItemBatch batch) = 0;
  // The same for items that stand by themselves; moves out of them.
  uint64_t Send(absl::Span<v1::ControlItem> items) { return Send(BatchOf(items)); }

  // Bytes that wait to be written; what reads the log for this edge pauses while it is high.
  virtual size_t queued_bytes() const = 0;

  // Control stops: what it has not done it leaves unanswered from now on, for the edge sends it again
  // to the next one. What was done is still told, also before a Close.
  virtual void BeginStop() {}

  // Ends the stream with `why`, without the items that still wait.
  virtual void Close(absl::Status why) = 0;
};

}  // namespace confab::control
