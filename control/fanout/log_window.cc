#include "control/fanout/log_window.h"

#include <algorithm>
#include <utility>

namespace confab::control {
namespace {

// The message itself, or an edit of it: that shows what the message says now.
bool Shows(const SharedEvent& event, int64_t message_seq) {
  if (event.seq() == message_seq) return true;
  const v1::Event& body = event->event();
  return body.has_message_edited() && body.message_edited().message_seq() == message_seq;
}

}  // namespace

LogWindow::LogWindow(WindowBudget& budget, int64_t last_seq, Time now)
    : budget_(budget),
      place_(budget.open_.insert(budget.open_.end(), this)),
      first_seq_(last_seq + 1),
      read_at_(now) {}

SharedPage LogWindow::Behind(int64_t after_seq, const PageLimits& limits) const {
  SharedPage page;
  page.last_seq = last_seq();
  page.member_seq = member_seq_;
  auto next = events_.begin() + static_cast<std::ptrdiff_t>(after_seq + 1 - first_seq_);
  size_t bytes = 0;
  while (next != events_.end() && page.events.size() < limits.events) {
    bytes += next->bytes();
    if (bytes > limits.bytes && !page.events.empty()) break;
    page.events.push_back(*next++);
  }
  page.more = next != events_.end();
  return page;
}

void LogWindow::Touch(Time now) {
  if (!is_open_) return;
  read_at_ = now;
  budget_.open_.splice(budget_.open_.end(), budget_.open_, place_);
}

void LogWindow::Append(SharedEvent event) {
  if (!is_open_) return;
  if (event.seq() != last_seq() + 1) {
    DropAll();
    first_seq_ = event.seq();
  }
  Charge(event);
  events_.push_back(std::move(event));
  while (events_.size() > kEventsLimit || bytes_ > kBytesLimit) {
    DropFirst();
    floor_ = first_seq_ - 1;
  }
}

void LogWindow::Prepend(int64_t after_seq, const SharedPage& page) {
  if (!is_open_) return;
  member_seq_ = std::max(member_seq_, page.member_seq);
  auto older = page.events.rbegin();
  while (older != page.events.rend() && older->seq() >= first_seq_) ++older;
  for (; older != page.events.rend(); ++older) {
    // A page that ends before: there is more between than was read at once.
    const bool fits = older->seq() > floor_ && older->seq() + 1 == first_seq_ &&
                      events_.size() < kEventsLimit && bytes_ + CostOf(*older) <= kBytesLimit;
    if (!fits) {
      floor_ = std::max(floor_, older->seq());
      return;
    }
    Charge(*older);
    events_.push_front(*older);
    first_seq_ = older->seq();
  }
  // The log begins behind it.
  if (!Covers(after_seq)) floor_ = first_seq_ - 1;
}

void LogWindow::ForgetMessage(int64_t seq) {
  const auto newest = std::find_if(events_.rbegin(), events_.rend(),
                                   [seq](const SharedEvent& event) { return Shows(event, seq); });
  for (auto left = events_.rend() - newest; left > 0; --left) {
    DropFirst();
    floor_ = 0;
  }
}

void LogWindow::Clear() {
  DropAll();
  floor_ = 0;
  member_seq_ = 0;
}

void LogWindow::Close() {
  if (!is_open_) return;
  DropAll();
  is_open_ = false;
  budget_.open_.erase(place_);
}

void LogWindow::Charge(const SharedEvent& event) {
  bytes_ += CostOf(event);
  budget_.bytes_ += CostOf(event);
}

void LogWindow::DropFirst() {
  const size_t cost = CostOf(events_.front());
  bytes_ -= cost;
  budget_.bytes_ -= cost;
  events_.pop_front();
  ++first_seq_;
}

void LogWindow::DropAll() {
  first_seq_ = last_seq() + 1;
  events_.clear();
  events_.shrink_to_fit();
  budget_.bytes_ -= bytes_;
  bytes_ = 0;
}

}  // namespace confab::control
