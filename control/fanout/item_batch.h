// item_batch.h: items for one edge that stay where they were made until gRPC has written them. What a
// lane's turn adds stands in a few blocks of memory, not in an allocation for each message; only texts
// beyond 15 bytes have one of their own.
// Measured by room/post/64, room/post/1.
// Owns: the items, together with the blocks.   Used by: edge_outbox (makes), edge_stream (hands over).
// Threads: caller serialises.
#pragma once

#include <memory>

#include <absl/types/span.h>

#include "confab/v1/edge_link.pb.h"

namespace confab::control {

// Null: no items.
using ItemBatch = std::shared_ptr<v1::AttachResponse>;

// For items that are made in place; what is assigned to them from elsewhere is copied.
ItemBatch NewItemBatch();

// With these, moved out of the span.
ItemBatch BatchOf(absl::Span<v1::ControlItem> items);

}  // namespace confab::control
