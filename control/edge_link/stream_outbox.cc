#include "control/edge_link/stream_outbox.h"

#include <utility>

namespace confab::control {
namespace {

// Ids, times and framing of an item; what has no bound of its own is added. Exact sizes would cost a
// walk over each message and its answer, which serialising does anyway.
constexpr size_t kItemBytes = 256;

template <typename Message>
size_t BytesOfMessage(const Message& message) {
  size_t bytes = kItemBytes + message.content().size() + message.body_json().size();
  for (const std::string& user : message.mentions()) bytes += user.size() + 4;
  return bytes;
}

size_t BytesOf(const v1::Event& event) {
  if (event.has_message_posted()) return BytesOfMessage(event.message_posted());
  if (event.has_message_edited()) return BytesOfMessage(event.message_edited());
  return kItemBytes + event.ByteSizeLong();
}

size_t BytesOf(const v1::ControlItem& item) {
  switch (item.item_case()) {
    case v1::ControlItem::kBroadcast:
      if (!item.broadcast().has_event()) return kItemBytes + item.broadcast().ByteSizeLong();
      return BytesOf(item.broadcast().event().event());
    case v1::ControlItem::kResult:
      return kItemBytes + (item.result().has_post_message() ? 0 : item.result().ByteSizeLong());
    case v1::ControlItem::kDirect:
      return kItemBytes + item.direct().ByteSizeLong();
    case v1::ControlItem::kRecoveryQuestion:
      return kItemBytes + item.recovery_question().ByteSizeLong();
    case v1::ControlItem::kRecoveryAnswer:
      return kItemBytes + item.recovery_answer().ByteSizeLong();
    case v1::ControlItem::kWelcome:
    case v1::ControlItem::kSubscribe:
    case v1::ControlItem::kUnsubscribe:
    case v1::ControlItem::kCloseConnection:
    case v1::ControlItem::kInboxState:
    case v1::ControlItem::kDrain:
    case v1::ControlItem::ITEM_NOT_SET:
      break;
  }
  return kItemBytes;
}

}  // namespace

void StreamWrite::Clear() {
  auto& items = *response_.mutable_items();
  items.UnsafeArenaExtractSubrange(0, items.size(), nullptr);
  batches_.clear();
}

bool StreamOutbox::Push(ItemBatch batch) {
  Entry& entry = queue_.emplace_back();
  entry.bytes.reserve(static_cast<size_t>(batch->items_size()));
  for (const v1::ControlItem& item : batch->items()) {
    entry.bytes.push_back(BytesOf(item));
    bytes_ += entry.bytes.back();
  }
  entry.batch = std::move(batch);
  return bytes_ <= kBytesLimit && queue_.size() <= kBatchesLimit;
}

bool StreamOutbox::Take(StreamWrite& write) {
  write.Clear();
  size_t taken = 0;
  bool is_full = false;
  while (!queue_.empty() && !is_full) {
    Entry& entry = queue_.front();
    write.batches_.push_back(entry.batch);
    for (; entry.next < entry.batch->items_size(); ++entry.next) {
      const size_t bytes = entry.bytes[static_cast<size_t>(entry.next)];
      is_full = taken > 0 && taken + bytes > kWriteBytesLimit;
      if (is_full) break;
      taken += bytes;
      write.response_.mutable_items()->UnsafeArenaAddAllocated(
          entry.batch->mutable_items(entry.next));
    }
    if (!is_full) queue_.pop_front();
  }
  bytes_ -= taken;
  return taken > 0;
}

void StreamOutbox::Clear() {
  queue_.clear();
  bytes_ = 0;
}

}  // namespace confab::control
