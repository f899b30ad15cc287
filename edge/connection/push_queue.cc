#include "edge/connection/push_queue.h"

#include <iterator>
#include <utility>

namespace confab::edge {

// A key stands in its entry and in the table.
std::size_t PushQueue::CostOf(const WaitingPush& push) {
  constexpr std::size_t kNode = sizeof(List::value_type) + 2 * sizeof(void*);
  constexpr std::size_t kSlot = sizeof(std::string) + sizeof(List::iterator);
  const std::size_t key = push.key.empty() ? 0 : 2 * push.key.size() + kSlot;
  return push.frame.size() + kNode + key;
}

void PushQueue::Push(WaitingPush push) {
  const std::size_t list =
      push.priority == PushPriority::kLow ? kGathered : static_cast<std::size_t>(push.priority);
  if (!push.key.empty()) {
    if (const auto found = keys_.find(push.key); found != keys_.end()) {
      Entry& waiting = *found->second;
      const bool keeps_place =
          waiting.list == list || (waiting.push.priority == push.priority && list == kGathered);
      if (keeps_place && !push.goes_last) {
        bytes_ += CostOf(push);
        bytes_ -= CostOf(waiting.push);
        waiting.push = std::move(push);
        return KeepLimits();
      }
      Erase(found->second);
    }
  }
  bytes_ += CostOf(push);
  ++count_;
  lists_[list].push_back({std::move(push), list});
  const auto entry = std::prev(lists_[list].end());
  if (!entry->push.key.empty()) keys_.emplace(entry->push.key, entry);
  KeepLimits();
}

void PushQueue::KeepLimits() {
  while (count_ > 1 && bytes_ > kBytesLimit) DropOne();
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
      if (has_expired) {
        ++dropped_.expired;
      } else {
        taken = first->push;
      }
      Erase(first);
      if (taken) return taken;
    }
  }
  return std::nullopt;
}

void PushQueue::Erase(List::iterator entry) {
  bytes_ -= CostOf(entry->push);
  --count_;
  if (!entry->push.key.empty()) keys_.erase(entry->push.key);
  lists_[entry->list].erase(entry);
}

// The oldest of the least important: droppable before what a newer one would replace. Of low ones
// those that are being gathered are the newest.
void PushQueue::DropOne() {
  ++dropped_.over_limit;
  for (const DeliveryClass delivery : {DeliveryClass::kDroppable, DeliveryClass::kLatest}) {
    for (const std::size_t list : {std::size_t{2}, kGathered, std::size_t{1}, std::size_t{0}}) {
      for (auto entry = lists_[list].begin(); entry != lists_[list].end(); ++entry) {
        if (entry->push.delivery == delivery) return Erase(entry);
      }
    }
  }
}

}  // namespace confab::edge
