#include "edge/event_run_finder.h"

#include <algorithm>

namespace confab::edge {

namespace {

bool CanBeJoined(const v1::ControlItem& item) {
  return item.has_broadcast() && item.broadcast().has_event() &&
         item.broadcast().topics_size() == 1 && item.broadcast().except_connection() == 0;
}

// Whether it goes on with `next` behind the event `last`.
bool GoesOn(const v1::Broadcast& last, const v1::ControlItem& next) {
  return CanBeJoined(next) && next.broadcast().topics(0) == last.topics(0) &&
         next.broadcast().event().event().seq() > last.event().event().seq();
}

// False: too many have asked.
bool AddAsker(std::uint64_t connection, FoundRun& run) {
  if (std::find(run.askers.begin(), run.askers.end(), connection) != run.askers.end()) return true;
  if (run.askers.size() == FoundRun::kAskersLimit) return false;
  run.askers.push_back(connection);
  return true;
}

}  // namespace

FoundRun FindRun(const ItemBatch& batch, std::size_t from) {
  FoundRun run;
  const v1::Broadcast* last = nullptr;
  for (run.end = from; run.end < batch.items.size(); ++run.end) {
    const v1::ControlItem& item = batch.batch->items(batch.items[run.end].place);
    if (last == nullptr ? CanBeJoined(item) : GoesOn(*last, item)) {
      last = &item.broadcast();
      ++run.events;
    } else if (last == nullptr || !item.has_result() || !item.result().has_post_message() ||
               !AddAsker(item.result().connection(), run)) {
      break;
    }
  }
  return run;
}

}  // namespace confab::edge
