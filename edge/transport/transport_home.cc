#include "edge/transport/transport_home.h"

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

}  // namespace confab::edge
