#include "edge/recovery/broadcast_ring.h"

#include <absl/hash/hash.h>
#include <absl/strings/string_view.h>

namespace confab::edge {

namespace {

// Two rooms with the same hash are as likely as a guessed key; nobody can make them up.
std::uint64_t HashOf(std::string_view room) {
  return absl::Hash<absl::string_view>()(absl::string_view(room.data(), room.size()));
}

}  // namespace

BroadcastRing::BroadcastRing(std::size_t entries) : entries_(entries) {}

const BroadcastRing::Entry* BroadcastRing::Find(Place place) const {
  const bool is_held = place != 0 && place + entries_.size() >= next_;
  return is_held ? &entries_[place % entries_.size()] : nullptr;
}

void BroadcastRing::Forget(const Entry& entry, Place place) {
  forgotten_ = entry.n;
  const auto newest = newest_.find(entry.room);
  if (newest != newest_.end() && newest->second == place) newest_.erase(newest);
}

void BroadcastRing::Add(std::uint64_t n, std::string_view room, std::int64_t seq) {
  const Place place = next_;
  Entry& entry = entries_[place % entries_.size()];
  if (entry.n != 0) Forget(entry, place - entries_.size());
  ++next_;
  Entry added{.room = HashOf(room), .seq = seq, .n = n};
  Place& newest = newest_[added.room];
  added.before = newest;
  added.jump = newest;
  added.jump_length = 1;
  const Entry* before = Find(added.before);
  const Entry* jumped = before == nullptr ? nullptr : Find(before->jump);
  if (jumped != nullptr && before->jump_length == jumped->jump_length) {
    added.jump = jumped->jump;
    added.jump_length += before->jump_length + jumped->jump_length;
  }
  newest = place;
  entry = added;
}

std::optional<std::int64_t> BroadcastRing::FirstBehind(std::string_view room,
                                                       std::uint64_t n) const {
  const auto is_behind = [n](const Entry* entry) { return entry != nullptr && entry->n > n; };
  const auto newest = newest_.find(HashOf(room));
  if (newest == newest_.end()) return std::nullopt;
  const Entry* first = Find(newest->second);
  if (!is_behind(first)) return std::nullopt;
  for (;;) {
    const Entry* jumped = Find(first->jump);
    const Entry* next = is_behind(jumped) ? jumped : Find(first->before);
    if (!is_behind(next)) return first->seq;
    first = next;
  }
}

}  // namespace confab::edge
