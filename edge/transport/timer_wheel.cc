#include "edge/transport/timer_wheel.h"

namespace confab::edge {

void TimerWheel::Entry::Cancel() {
  if (next == nullptr) return;
  next->previous = previous;
  previous->next = next;
  next = previous = nullptr;
}

TimerWheel::TimerWheel(absl::Duration tick) : tick_(tick) {
  for (Link& slot : slots_) slot.next = slot.previous = &slot;
}

TimerWheel::~TimerWheel() {
  for (Link& slot : slots_) {
    while (slot.next != &slot) static_cast<Entry*>(slot.next)->Cancel();
  }
}

void TimerWheel::Arm(Entry& entry, absl::Duration delay) {
  entry.Cancel();
  // The current tick is partly over already: only from the next one on whole ticks count.
  uint64_t ticks = 1;
  if (delay > absl::ZeroDuration()) {
    ticks += static_cast<uint64_t>(absl::Ceil(delay, tick_) / tick_);
  }
  entry.due_tick_ = now_tick_ + ticks;
  InsertBefore(slots_[entry.due_tick_ % kSlots], entry);
}

void TimerWheel::Tick() {
  ++now_tick_;
  Link& slot = slots_[now_tick_ % kSlots];
  // Taken out first: OnTimer may arm and cancel whatever it likes.
  Link due;
  due.next = due.previous = &due;
  for (Link* link = slot.next; link != &slot;) {
    Entry* entry = static_cast<Entry*>(link);
    link = link->next;
    if (entry->due_tick_ != now_tick_) continue;  // Another turn of the wheel.
    entry->Cancel();
    InsertBefore(due, *entry);
  }
  while (due.next != &due) {
    Entry* entry = static_cast<Entry*>(due.next);
    entry->Cancel();
    entry->OnTimer();
  }
}

void TimerWheel::InsertBefore(Link& where, Entry& entry) {
  entry.next = &where;
  entry.previous = where.previous;
  where.previous->next = &entry;
  where.previous = &entry;
}

}  // namespace confab::edge
