// What control says to the connections of an IoThread: item by item, or the events of a run together.
#include <algorithm>

#include "edge/event_run_finder.h"
#include "edge/io_thread.h"
#include "process/failpoint.h"

namespace confab::edge {

namespace {
// A joined frame is no more than this part of an outbox: what fits in pieces is not dropped as a whole.
constexpr std::size_t kFramesOfOutbox = 8;
}  // namespace

void IoThread::Distribute(const ItemBatch& items) {
  CONFAB_FAILPOINT(kEdgeDeliver);
  for (std::size_t i = 0; i < items.items.size();) {
    const FoundRun run = FindRun(items, i);
    if (run.events > 1) {
      DistributeRun(items, i, run);
      i = run.end;
    } else {
      stamp_.Set(NumberAt(items, i));
      On(items.batch->items(items.items[i].place));
      ++i;
    }
  }
  subscribes_seen_ = items.subscribes_seen;
  loop_->MarkDirty(*this);
}

std::uint64_t IoThread::NumberAt(const ItemBatch& items, std::size_t index) {
  return NumberOf(items.broadcasts_before + items.items[index].broadcasts);
}

// First everybody who is told nothing else meanwhile, then the others in the order of the items.
void IoThread::DistributeRun(const ItemBatch& items, std::size_t from, const FoundRun& found) {
  EventRun run;
  run.topic = items.batch->items(items.items[from].place).broadcast().topics(0);
  run.stamp = &stamp_;
  const TransportLimits& limits = transports_.limits;
  run.frame_bytes_limit = std::min(limits.message_bytes, limits.outbox_bytes / kFramesOfOutbox);
  run.events.reserve(found.events);
  for (std::size_t i = from; i < found.end; ++i) {
    const v1::ControlItem& item = items.batch->items(items.items[i].place);
    if (!item.has_broadcast()) continue;
    run.events.push_back({.event = &item.broadcast().event(), .number = NumberAt(items, i)});
  }
  for (const std::uint64_t asker : found.askers) {
    if (const Connection* connection = Find(asker)) run.apart.push_back(&connection->transport());
  }
  hub_.Deliver(run);
  std::size_t event = 0;
  for (std::size_t i = from; i < found.end; ++i) {
    stamp_.Set(NumberAt(items, i));
    const v1::ControlItem& item = items.batch->items(items.items[i].place);
    if (item.has_broadcast()) {
      figures_.OnDelivered(hub_.DeliverApart(run, event++),
                           item.broadcast().event().event().created_at());
    } else {
      On(item);
    }
  }
}

}  // namespace confab::edge
