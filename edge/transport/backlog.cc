#include "edge/transport/backlog.h"

#include <algorithm>
#include <utility>

namespace confab::edge {

Backlog::Backlog(Reader& reader, TimerWheel& wheel, absl::Duration stall_time)
    : reader_(reader),
      wheel_(wheel),
      pause_(stall_time / kChecks),
      under_way_(reader.BytesUnderWay()) {
  if (stall_time > absl::ZeroDuration()) wheel_.Arm(*this, pause_);
}

void Backlog::Note(FramePlace place) {
  const auto [first, is_new] = first_of_.try_emplace(place.key, place.seq);
  if (!is_new) first->second = std::min(first->second, place.seq);
}

std::vector<Dropped> Backlog::TakeDropped() {
  std::vector<Dropped> dropped;
  dropped.reserve(first_of_.size());
  for (const auto& [key, first_seq] : std::exchange(first_of_, {})) {
    dropped.push_back({.key = key, .first_seq = first_seq});
  }
  return dropped;
}

// What the reader's system has taken counts too: a reader that takes little at a time makes the
// socket writable only now and then.
void Backlog::OnTimer() {
  const std::size_t under_way = reader_.BytesUnderWay();
  const bool is_alive = std::exchange(has_taken_, false) || under_way < under_way_;
  under_way_ = under_way;
  idle_checks_ = is_alive ? 0 : idle_checks_ + 1;
  if (idle_checks_ == kChecks) return reader_.OnStalled();
  // From a tick on, whole ticks count from the next: that one is in the pause already.
  wheel_.Arm(*this, std::max(pause_ - wheel_.tick(), absl::ZeroDuration()));
}

}  // namespace confab::edge
