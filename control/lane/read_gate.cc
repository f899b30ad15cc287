#include "control/lane/read_gate.h"

#include <utility>

namespace confab::control {

ReadGate::ReadGate(Lane& lane, ReadPool& pool, size_t limit)
    : lane_(lane), pool_(pool), limit_(limit) {}

void ReadGate::Read(Work work) {
  if (is_stopped_) {
    lane_.Post(work(true));
    return;
  }
  waiting_.push_back(std::make_shared<Work>(std::move(work)));
  Pass();
}

void ReadGate::Pass() {
  while (!waiting_.empty() && running_ < limit_ && !is_waiting_) {
    const std::shared_ptr<Work> work = waiting_.front();
    const bool is_taken = pool_.Run([this, work](bool is_stopping) {
      lane_.Post([this, task = (*work)(is_stopping)]() mutable { OnDone(std::move(task)); });
    });
    if (!is_taken) return WaitForPool();
    waiting_.pop_front();
    ++running_;
  }
}

// The pool is full of other lanes' reads; or it is stopping, then Stop follows.
void ReadGate::WaitForPool() {
  is_waiting_ = true;
  lane_.Delay(kFullDelay, [this] {
    is_waiting_ = false;
    Pass();
  });
}

void ReadGate::OnDone(Lane::Task task) {
  --running_;
  task();
  Pass();
}

void ReadGate::Stop() {
  is_stopped_ = true;
  while (!waiting_.empty()) {
    lane_.Post((*waiting_.front())(true));
    waiting_.pop_front();
  }
}

}  // namespace confab::control
