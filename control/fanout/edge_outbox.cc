#include "control/fanout/edge_outbox.h"

#include <utility>

#include <absl/types/span.h>

namespace confab::control {

EdgeOutbox::Entry& EdgeOutbox::EntryOf(const std::shared_ptr<Attachment>& edge) {
  for (Entry& entry : entries_) {
    if (entry.edge == edge) return entry;
  }
  return entries_.emplace_back(Entry{edge, {}});
}

v1::ControlItem& EdgeOutbox::Add(const std::shared_ptr<Attachment>& edge) {
  Entry& entry = EntryOf(edge);
  if (entry.items.size() >= kItemsLimit) Send(entry);
  return entry.items.emplace_back();
}

uint64_t EdgeOutbox::SendSubscribe(const std::shared_ptr<Attachment>& edge,
                                   v1::Subscribe subscribe) {
  Entry& entry = EntryOf(edge);
  *entry.items.emplace_back().mutable_subscribe() = std::move(subscribe);
  return Send(entry) + 1;
}

uint64_t EdgeOutbox::Send(Entry& entry) {
  const uint64_t before = entry.edge->stream().Send(absl::MakeSpan(entry.items));
  entry.items.clear();
  return before;
}

void EdgeOutbox::Flush() {
  bool has_detached = false;
  for (Entry& entry : entries_) {
    if (!entry.items.empty()) Send(entry);
    has_detached = has_detached || !entry.edge->is_attached();
  }
  if (has_detached) {
    std::erase_if(entries_, [](const Entry& entry) { return !entry.edge->is_attached(); });
  }
}

}  // namespace confab::control
