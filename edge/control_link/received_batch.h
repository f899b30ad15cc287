// received_batch.h: a batch of control with all its messages in a few blocks of memory: parsed without
// an allocation for each, freed as a whole by whichever io thread is last.
// Measured by link/read_broadcasts, link/read_results beside link/read_broadcasts_on_heap.
// Owns: the blocks, as long as somebody shares the batch.   Used by: attach_stream.
// Threads: pure function.
#pragma once

#include <memory>

#include "confab/v1/edge_link.pb.h"

namespace confab::edge {

// An empty one. What is parsed into it must not be moved out of it: that would copy.
std::shared_ptr<v1::AttachResponse> MakeReceivedBatch();

}  // namespace confab::edge
