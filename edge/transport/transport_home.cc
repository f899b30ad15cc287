#include "edge/transport/transport_home.h"

#include <algorithm>
#include <utility>

namespace confab::edge {

void TransportList::Node::Join(TransportList& list) {
  list_ = &list;
  next_ = list.first_;
  if (next_ != nullptr) next_->previous_ = this;
  list.first_ = this;
  ++list.size_;
}

void TransportList::Node::Leave() {
  if (list_ == nullptr) return;
  (previous_ == nullptr ? list_->first_ : previous_->next_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  --list_->size_;
  list_ = nullptr;
}

// Closing is never completed from within, so that the list stands still.

void TransportList::DrainAll(const std::vector<absl::Duration>& delays) {
  auto delay = delays.begin();
  for (Node* node = first_; node != nullptr && delay != delays.end(); node = node->next_) {
    node->OnServerDraining(*delay++);
  }
}

void TransportList::StopAll() {
  for (Node* node = first_; node != nullptr; node = node->next_) node->OnServerStopping();
}

std::vector<TransportList::Node*> TransportList::LargestFirst() const {
  std::vector<std::pair<std::size_t, Node*>> sized;
  for (Node* node = first_; node != nullptr; node = node->next_) {
    if (const std::size_t bytes = node->WaitingBytes(); bytes > 0) sized.emplace_back(bytes, node);
  }
  std::sort(sized.begin(), sized.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Node*> nodes;
  nodes.reserve(sized.size());
  for (const auto& [bytes, node] : sized) nodes.push_back(node);
  return nodes;
}

void KeepOutboxBudget(TransportHome& home) {
  const auto budget = static_cast<std::ptrdiff_t>(home.limits.outbox_budget);
  home.is_pressed = budget > 0 && SharedFrame::BytesAlive() > budget - budget / 4;
  if (!home.is_pressed) return;
  home.list.DegradeLargest([budget] { return SharedFrame::BytesAlive() > budget; });
}

}  // namespace confab::edge
