// control_link.h: the edge's one way to control, as its io threads see it (seam).
// Owns: nothing.   Used by: edge (Distribute), io_thread (Forward). Filled by grpc_control_link.
// Threads: any thread. The sink is called by one thread at a time.
// Fails: never; while there is no stream what is sent is dropped, and announced by the next one.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "confab/v1/edge_link.pb.h"

namespace confab::edge {

// Where a link reports. A stream's calls come in this order: OnStreamOpened, OnItems…,
// OnStreamClosed; those of the next stream follow. The calls must return soon.
class ControlLinkSink {
 public:
  virtual ~ControlLinkSink() = default;
  // The sink answers with Announce, from any thread. Streams are numbered from 1 on.
  virtual void OnStreamOpened(uint64_t stream) = 0;
  virtual void OnItems(uint64_t stream, std::shared_ptr<const v1::AttachResponse> batch) = 0;
  virtual void OnStreamClosed(uint64_t stream) = 0;
};

class ControlLink {
 public:
  virtual ~ControlLink() = default;

  // Opens a stream, and another whenever it is lost. `sink` must outlive Stop().
  virtual void Start(ControlLinkSink& sink) = 0;

  // The Hello chunks of this stream: they go out before anything that was sent on it.
  virtual void Announce(uint64_t stream, std::vector<v1::Hello> chunks) = 0;

  // Queues the items and leaves the vector empty. Items of any but the present stream are
  // dropped: whoever sends them will be asked for its state again.
  virtual void Send(uint64_t stream, std::vector<v1::EdgeItem>& items) = 0;

  // Gives the stream up and opens another: for an order of items that cannot be.
  virtual void Reset(uint64_t stream, std::string_view why) = 0;

  // No call of the sink is under way or follows when it has returned.
  virtual void Stop() = 0;
};

}  // namespace confab::edge
