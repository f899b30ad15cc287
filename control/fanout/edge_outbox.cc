#include "control/fanout/edge_outbox.h"

#include <utility>

namespace confab::control {

EdgeOutbox::Entry& EdgeOutbox::EntryOf(const std::shared_ptr<Attachment>& edge) {
  for (Entry& entry : entries_) {
    if (entry.edge == edge) return entry;
  }
  return entries_.emplace_back(Entry{edge, nullptr});
}

v1::ControlItem& EdgeOutbox::AddTo(Entry& entry) {
  if (entry.batch == nullptr) entry.batch = NewItemBatch();
  return *entry.batch->add_items();
}

v1::ControlItem& EdgeOutbox::Add(const std::shared_ptr<Attachment>& edge) {
  Entry& entry = EntryOf(edge);
  if (entry.batch != nullptr && entry.batch->items_size() >= kItemsLimit) Send(entry);
  return AddTo(entry);
}

uint64_t EdgeOutbox::SendSubscribe(const std::shared_ptr<Attachment>& edge,
                                   v1::Subscribe subscribe) {
  Entry& entry = EntryOf(edge);
  *AddTo(entry).mutable_subscribe() = std::move(subscribe);
  return Send(entry) + 1;
}

uint64_t EdgeOutbox::Send(Entry& entry) {
  return entry.edge->stream().Send(std::exchange(entry.batch, nullptr));
}

void EdgeOutbox::Flush() {
  bool has_detached = false;
  for (Entry& entry : entries_) {
    if (entry.batch != nullptr) Send(entry);
    has_detached = has_detached || !entry.edge->is_attached();
  }
  if (has_detached) {
    std::erase_if(entries_, [](const Entry& entry) { return !entry.edge->is_attached(); });
  }
}

}  // namespace confab::control
