#include "control/lane/read_gate.h"

#include <algorithm>
#include <utility>

namespace confab::control {

ReadGate::ReadGate(Lane& lane, ReadPool& pool, size_t limit)
    : lane_(lane), pool_(pool), limit_(limit), pages_limit_(std::max<size_t>(1, limit * 2 / 3)) {}

void ReadGate::Read(Work work, ReadShare share) {
  if (is_stopped_) {
    lane_.Post(work(true));
    return;
  }
  Queue& queue = share == ReadShare::kPages ? pages_ : needed_;
  queue.push_back(std::make_shared<Work>(std::move(work)));
  Pass();
}

void ReadGate::Pass() {
  while (!needed_.empty() && running_ < limit_) {
    if (!Hand(needed_, ReadShare::kNeeded)) return WaitForPool();
  }
  while (!pages_.empty() && running_ < limit_ && running_pages_ < pages_limit_) {
    if (!Hand(pages_, ReadShare::kPages)) return WaitForPool();
  }
}

// Gives the first of the queue to the pool. False: that has no room.
bool ReadGate::Hand(Queue& queue, ReadShare share) {
  const std::shared_ptr<Work> work = queue.front();
  const bool is_taken = pool_.Run(
      [this, work, share](bool is_stopping) {
        lane_.Post([this, share, task = (*work)(is_stopping)]() mutable {
          OnDone(share, std::move(task));
        });
      },
      share);
  if (!is_taken) return false;
  queue.pop_front();
  ++running_;
  if (share == ReadShare::kPages) ++running_pages_;
  return true;
}

// The pool is full of other lanes' reads; or it is stopping, then Stop follows.
void ReadGate::WaitForPool() {
  if (std::exchange(is_waiting_, true)) return;
  lane_.Delay(kFullDelay, [this] {
    is_waiting_ = false;
    Pass();
  });
}

void ReadGate::OnDone(ReadShare share, Lane::Task task) {
  --running_;
  if (share == ReadShare::kPages) --running_pages_;
  task();
  Pass();
}

void ReadGate::Stop() {
  is_stopped_ = true;
  for (Queue* queue : {&needed_, &pages_}) {
    while (!queue->empty()) {
      lane_.Post((*queue->front())(true));
      queue->pop_front();
    }
  }
}

}  // namespace confab::control
