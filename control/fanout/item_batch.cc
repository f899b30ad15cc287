#include "control/fanout/item_batch.h"

#include <cstddef>
#include <utility>

#include <google/protobuf/arena.h>

namespace confab::control {
namespace {

// One event with its Result fits into the first block; blocks double up to the largest, which malloc
// still takes from its heap.
constexpr size_t kFirstBlockBytes = 2 * 1024;
constexpr size_t kBlockBytesMax = 64 * 1024;

google::protobuf::ArenaOptions Blocks() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = kFirstBlockBytes;
  options.max_block_size = kBlockBytesMax;
  return options;
}

struct Made {
  google::protobuf::Arena arena{Blocks()};
  v1::AttachResponse* const batch =
      google::protobuf::Arena::CreateMessage<v1::AttachResponse>(&arena);
};

}  // namespace

ItemBatch NewItemBatch() {
  auto made = std::make_shared<Made>();
  v1::AttachResponse* const batch = made->batch;
  return {std::move(made), batch};
}

ItemBatch BatchOf(absl::Span<v1::ControlItem> items) {
  auto batch = std::make_shared<v1::AttachResponse>();
  batch->mutable_items()->Reserve(static_cast<int>(items.size()));
  for (v1::ControlItem& item : items) *batch->add_items() = std::move(item);
  return batch;
}

}  // namespace confab::control
