// edge_outbox.h: what one turn of a lane has to tell the edges, handed over at once at its end.
// Owns: the items gathered for each edge, in order.
// Used by: room_lane (Flush), room_audience, result_writer.
// Threads: confined to the lane.
// Fails: never; what is for a detached edge is dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "confab/v1/edge_link.pb.h"

#include "control/fanout/edge_registry.h"
#include "control/fanout/item_batch.h"

namespace confab::control {

class EdgeOutbox {
 public:
  // A turn that reads pages of the log for an edge hands them over in pieces.
  static constexpr int kItemsLimit = 512;

  // An empty item behind all others for that edge, to be filled in place: it stands on an arena. The
  // reference is valid until the next call.
  v1::ControlItem& Add(const std::shared_ptr<Attachment>& edge);

  // Sends a Subscribe, and before it all that waits for the edge. Returns which Subscribe of the
  // stream it is, counted from 1.
  uint64_t SendSubscribe(const std::shared_ptr<Attachment>& edge, v1::Subscribe subscribe);

  void Flush();

 private:
  struct Entry {
    std::shared_ptr<Attachment> edge;
    ItemBatch batch;  // Null: nothing waits.
  };

  Entry& EntryOf(const std::shared_ptr<Attachment>& edge);
  static v1::ControlItem& AddTo(Entry& entry);
  // REQUIRES: something waits.
  static uint64_t Send(Entry& entry);

  std::vector<Entry> entries_;  // One for each edge met so far; few.
};

}  // namespace confab::control
