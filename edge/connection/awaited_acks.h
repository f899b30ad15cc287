// awaited_acks.h: which notifications of its inbox a client was given and has not acknowledged yet,
// where its dialect asks for an ack of each. An ack's id is the notification's inbox_seq. Pure.
// Owns: those places.   Used by: notification_outlet.
// Threads: confined to the io thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace confab::edge {

class AwaitedAcks {
 public:
  // So many wait at once, two pages of an inbox: enough for a client that answers when it has stored
  // them; 2 KiB. Who answers none is told no more. Beyond it the next is told when half of them are
  // acknowledged, so that no page is read for one place.
  static constexpr std::size_t kLimit = 256;

  // Another one may be told.
  bool has_room() const { return !is_full_; }
  bool empty() const { return awaited_.empty(); }

  // One was. REQUIRES: has_room(), and it stands behind all that wait.
  void OnTold(std::int64_t inbox_seq) {
    told_seq_ = inbox_seq;
    awaited_.push_back(inbox_seq);
    is_full_ = awaited_.size() == kLimit;
  }

  // The client has dealt with that one. False: it was not asked, or has said so before.
  bool OnAck(std::uint64_t id) {
    if (id > static_cast<std::uint64_t>(told_seq_)) return false;
    const auto inbox_seq = static_cast<std::int64_t>(id);
    const auto found = std::lower_bound(awaited_.begin(), awaited_.end(), inbox_seq);
    if (found == awaited_.end() || *found != inbox_seq) return false;
    const bool was_first = found == awaited_.begin();
    awaited_.erase(found);
    if (was_first) {
      acked_seq_ = std::max(acked_seq_, awaited_.empty() ? told_seq_ : awaited_.front() - 1);
    }
    KeepPace();
    return true;
  }

  // From there on what was told has not reached the client: it is told again.
  void GoBack(std::int64_t first_seq) {
    awaited_.erase(std::lower_bound(awaited_.begin(), awaited_.end(), first_seq), awaited_.end());
    told_seq_ = std::min(told_seq_, first_seq - 1);
    KeepPace();
  }

  // Everything up to there is acknowledged. What lies behind the first that is not stays, though
  // some of it may be too: a cursor knows no holes. 0: nothing is.
  std::int64_t acked_seq() const { return acked_seq_; }

 private:
  void KeepPace() {
    if (awaited_.size() <= kLimit / 2) is_full_ = false;
  }

  std::vector<std::int64_t> awaited_;  // Ascending.
  std::int64_t told_seq_ = 0;
  std::int64_t acked_seq_ = 0;
  bool is_full_ = false;
};

}  // namespace confab::edge
