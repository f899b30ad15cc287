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

bool StreamOutbox::Push(absl::Span<v1::ControlItem> items) {
  for (v1::ControlItem& item : items) {
    const size_t bytes = BytesOf(item);
    bytes_ += bytes;
    queue_.push_back({std::move(item), bytes});
  }
  return bytes_ <= kBytesLimit;
}

bool StreamOutbox::Take(v1::AttachResponse& response) {
  response.Clear();
  size_t taken = 0;
  while (!queue_.empty()) {
    Entry& next = queue_.front();
    if (taken > 0 && taken + next.bytes > kWriteBytesLimit) break;
    taken += next.bytes;
    *response.add_items() = std::move(next.item);
    queue_.pop_front();
  }
  bytes_ -= taken;
  return taken > 0;
}

void StreamOutbox::Clear() {
  queue_.clear();
  bytes_ = 0;
}

}  // namespace confab::control
