// attach_queue.h: what waits to be written to control on one stream, in order; each item's size is
// looked at once.
// Measured by link/queue_commands.
// Owns: the items.   Used by: attach_stream.
// Threads: caller serialises.
#pragma once

#include <cstddef>
#include <deque>

#include "confab/v1/edge_link.pb.h"

namespace confab::edge {

class AttachQueue {
 public:
  // Control takes 1 MiB a message; half of it leaves room for one large item more.
  static constexpr std::size_t kBatchBytesLimit = 512 * 1024;

  void Push(v1::EdgeItem&& item);

  // Adds the next items to `batch`, which is empty. False: there are none.
  bool Take(v1::AttachRequest& batch);

  // Of what waits, by estimate.
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    v1::EdgeItem item;
    std::size_t bytes = 0;
  };
  std::deque<Entry> queue_;
  std::size_t bytes_ = 0;
};

}  // namespace confab::edge
