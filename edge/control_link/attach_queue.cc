#include "edge/control_link/attach_queue.h"

#include <utility>

#include "edge/control_link/item_bytes.h"

namespace confab::edge {

void AttachQueue::Push(v1::EdgeItem&& item) {
  const std::size_t bytes = BytesOf(item);
  bytes_ += bytes;
  queue_.push_back({std::move(item), bytes});
}

bool AttachQueue::Take(v1::AttachRequest& batch) {
  std::size_t taken = 0;
  while (!queue_.empty()) {
    Entry& next = queue_.front();
    if (taken > 0 && taken + next.bytes > kBatchBytesLimit) break;
    taken += next.bytes;
    *batch.add_items() = std::move(next.item);
    queue_.pop_front();
  }
  bytes_ -= taken;
  return taken > 0;
}

}  // namespace confab::edge
