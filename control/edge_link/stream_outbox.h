// stream_outbox.h: what still has to be sent on one edge's stream, bounded in bytes.
// Owns: the batches.   Used by: attached_edge.
// Threads: caller serialises.
// Fails: Push answers false when the limit is passed; then the stream is to be dropped.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "confab/v1/edge_link.pb.h"

#include "control/fanout/item_batch.h"

namespace confab::control {

// What one write carries: items of several batches, which live as long as it does.
class StreamWrite {
 public:
  StreamWrite() = default;
  StreamWrite(const StreamWrite&) = delete;
  StreamWrite& operator=(const StreamWrite&) = delete;
  ~StreamWrite() { Clear(); }

  const v1::AttachResponse& response() const { return response_; }
  // Lets go of the items.
  void Clear();

 private:
  friend class StreamOutbox;

  v1::AttachResponse response_;  // Its items are the batches', and must not be cleared with it.
  std::vector<ItemBatch> batches_;
};

class StreamOutbox {
 public:
  // DESIGN 4: above it the stream is dropped and the edge heals from the log.
  static constexpr size_t kBytesLimit = 32 * 1024 * 1024;
  // Each batch has blocks of memory of its own, 2 KiB at least, of which a small item is estimated at
  // an eighth: so many of them are 128 MiB, however little they say.
  static constexpr size_t kBatchesLimit = 64 * 1024;
  // One write: large enough to carry thousands of events, small enough that what comes next does
  // not wait long, and below the 4 MiB that gRPC takes by default even with one item too much.
  static constexpr size_t kWriteBytesLimit = 512 * 1024;

  // False: too much waits.
  [[nodiscard]] bool Push(ItemBatch batch);

  // Makes `write` carry the next items, in order. False: there are none.
  bool Take(StreamWrite& write);

  void Clear();

  // Of what waits, by estimate.
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    ItemBatch batch;
    std::vector<size_t> bytes;  // Of its items.
    int next = 0;               // Item that was not taken yet.
  };
  std::deque<Entry> queue_;
  size_t bytes_ = 0;
};

}  // namespace confab::control
