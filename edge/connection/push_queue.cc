#include "edge/connection/push_queue.h"

#include <iterator>
#include <utility>

namespace confab::edge {

void PushQueue::Push(WaitingPush push) {
  const std::size_t list =
      push.priority == PushPriority::kLow ? kGathered : static_cast<std::size_t>(push.priority);
  if (!push.key.empty()) {
    if (const auto found = keys_.find(push.key); found != keys_.end()) {
      Entry& waiting = *found->second;
      const bool keeps_place =
          waiting.list == list || (waiting.push.priority == push.priority && list == kGathered);
      if (keeps_place && !push.goes_last) {
        bytes_ += push.frame.size();
        bytes_ -= waiting.push.frame.size();
        waiting.push = std::move(push);
        return KeepLimits();
      }
      Erase(found->second);
    }
  }
  bytes_ += push.frame.size();
  ++count_;
  lists_[list].push_back({std::move(push), list});
  const auto entry = std::prev(lists_[list].end());
  if (!entry->push.key.empty()) keys_.emplace(entry->push.key, entry);
  KeepLimits();
}

void PushQueue::KeepLimits() {
  while (count_ > 1 && (bytes_ > kBytesLimit || count_ > kCountLimit)) DropOne();
}

void PushQueue::Release() {
  const auto low = static_cast<std::size_t>(PushPriority::kLow);
  for (Entry& entry : lists_[kGathered]) entry.list = low;
  lists_[low].splice(lists_[low].end(), lists_[kGathered]);
}

std::optional<WaitingPush> PushQueue::Take(std::chrono::steady_clock::time_point now) {
  for (std::size_t list = 0; list < kGathered; ++list) {
    while (!lists_[list].empty()) {
      const auto first = lists_[list].begin();
      const bool has_expired = first->push.expires_at <= now;
      std::optional<WaitingPush> taken;
      if (!has_expired) taken = first->push;
      Erase(first);
      if (taken) return taken;
    }
  }
  return std::nullopt;
}

void PushQueue::Erase(List::iterator entry) {
  bytes_ -= entry->push.frame.size();
  --count_;
  if (!entry->push.key.empty()) keys_.erase(entry->push.key);
  lists_[entry->list].erase(entry);
}

// The oldest of the least important: droppable before what a newer one would replace. Of low ones
// those that are being gathered are the newest.
void PushQueue::DropOne() {
  ++dropped_;
  for (const DeliveryClass delivery : {DeliveryClass::kDroppable, DeliveryClass::kLatest}) {
    for (const std::size_t list : {std::size_t{2}, kGathered, std::size_t{1}, std::size_t{0}}) {
      for (auto entry = lists_[list].begin(); entry != lists_[list].end(); ++entry) {
        if (entry->push.delivery == delivery) return Erase(entry);
      }
    }
  }
}

}  // namespace confab::edge
