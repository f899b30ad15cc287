#include "edge/control_link/received_batch.h"

#include <cstddef>
#include <utility>

#include <google/protobuf/arena.h>

namespace confab::edge {

namespace {

// One event with its Result fits into the first block; blocks double up to the largest, which malloc
// still takes from its heap.
constexpr std::size_t kFirstBlockBytes = 2 * 1024;
constexpr std::size_t kBlockBytesMax = 64 * 1024;

google::protobuf::ArenaOptions Blocks() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = kFirstBlockBytes;
  options.max_block_size = kBlockBytesMax;
  return options;
}

struct ReceivedBatch {
  google::protobuf::Arena arena{Blocks()};
  v1::AttachResponse* const batch =
      google::protobuf::Arena::CreateMessage<v1::AttachResponse>(&arena);
};

}  // namespace

std::shared_ptr<v1::AttachResponse> MakeReceivedBatch() {
  auto made = std::make_shared<ReceivedBatch>();
  v1::AttachResponse* const batch = made->batch;
  return {std::move(made), batch};
}

}  // namespace confab::edge
