#include "edge/connection/replay.h"

#include <algorithm>
#include <utility>

namespace confab::edge {

void RoomReplay::GoBack(std::int64_t after_seq) {
  after_seq = std::max(after_seq, since_);
  if (after_seq >= after_seq_) return;
  after_seq_ = after_seq;
  page_.reset();
  is_last_page_ = false;
}

void RoomReplay::OnPage(const v1::HistoryPage& page) {
  const bool is_stale = std::exchange(is_asking_, false) && asked_after_ > after_seq_;
  has_hole_ = false;
  if (is_stale) return;  // It went back meanwhile: what lies before the page comes first.
  is_last_page_ = is_asked_for_end_ && !page.more();
  has_hole_ = page.events_size() == 0 || page.events(0).seq() > after_seq_ + 1;
  if (page.events_size() == 0) return;
  page_ = page;
  next_ = 0;
}

const v1::Event* RoomReplay::Next() {
  if (!page_) return nullptr;
  while (next_ < page_->events_size() && page_->events(next_).seq() <= after_seq_) ++next_;
  if (next_ == page_->events_size() || (end_seq_ && page_->events(next_).seq() > *end_seq_)) {
    page_.reset();
    return nullptr;
  }
  return &page_->events(next_);
}

void RoomReplay::Take() {
  after_seq_ = page_->events(next_).seq();
  ++next_;
}

bool RoomReplay::IsDone(std::optional<std::int64_t> live_position) const {
  if (!has_begun_ || page_) return false;
  if (end_seq_) return after_seq_ >= *end_seq_ || (is_last_page_ && !is_asking_);
  return !live_position || after_seq_ >= *live_position;
}

}  // namespace confab::edge
