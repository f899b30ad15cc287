#include "edge/hub/topic_table.h"

namespace confab::edge {

TopicTable::Wish& TopicTable::WishOf(std::string_view topic, std::size_t thread,
                                     std::int64_t position) {
  auto it = topics_.find(topic);
  if (it == topics_.end()) {
    auto entry = std::make_unique<Entry>();
    entry->name = topic;
    entry->position = position;
    const std::string_view key = entry->name;
    it = topics_.emplace(key, std::move(entry)).first;
  }
  for (Wish& wish : it->second->wishes) {
    if (wish.thread == thread) return wish;
  }
  return it->second->wishes.emplace_back(Wish{.thread = static_cast<std::uint8_t>(thread)});
}

std::uint64_t TopicTable::OnSubscribe(std::string_view topic, std::size_t thread,
                                      std::int64_t from_seq) {
  WishOf(topic, thread, from_seq).last_subscribe = ++subscribes_;
  return subscribes_;
}

void TopicTable::OnWanted(std::string_view topic, std::size_t thread) { WishOf(topic, thread, 0); }

TopicTable::ThreadMask TopicTable::MaskOf(const Entry& entry) {
  ThreadMask mask = 0;
  for (const Wish& wish : entry.wishes) mask |= ThreadMask{1} << wish.thread;
  return mask;
}

TopicTable::Passing TopicTable::OnEvent(std::string_view topic, std::int64_t seq) {
  const auto it = topics_.find(topic);
  if (it == topics_.end()) return {.verdict = Verdict::kUnwanted};
  Entry& entry = *it->second;
  if (seq <= entry.position) return {.verdict = Verdict::kDuplicate};
  if (seq > entry.position + 1) return {.verdict = Verdict::kGap};
  entry.position = seq;
  return {.verdict = Verdict::kDeliver, .threads = MaskOf(entry)};
}

TopicTable::ThreadMask TopicTable::ThreadsOf(std::string_view topic) const {
  const auto it = topics_.find(topic);
  return it == topics_.end() ? 0 : MaskOf(*it->second);
}

bool TopicTable::OnReleased(std::string_view topic, std::size_t thread,
                            std::uint64_t subscribes_seen) {
  const auto it = topics_.find(topic);
  if (it == topics_.end()) return false;
  auto& wishes = it->second->wishes;
  for (auto wish = wishes.begin(); wish != wishes.end(); ++wish) {
    if (wish->thread != thread) continue;
    // Another subscriber is on its way to the thread.
    if (wish->last_subscribe > subscribes_seen) return false;
    wishes.erase(wish);
    break;
  }
  if (!wishes.empty()) return false;
  topics_.erase(it);
  return true;
}

std::vector<std::pair<std::string, std::int64_t>> TopicTable::Positions() const {
  std::vector<std::pair<std::string, std::int64_t>> positions;
  positions.reserve(topics_.size());
  for (const auto& [name, entry] : topics_) positions.emplace_back(entry->name, entry->position);
  return positions;
}

}  // namespace confab::edge
