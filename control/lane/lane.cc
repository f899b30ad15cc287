#include "control/lane/lane.h"

#include <algorithm>
#include <utility>

#include <absl/time/clock.h>

namespace confab::control {

Lane::~Lane() { Stop(); }

void Lane::Start(Task turn_end) {
  turn_end_ = std::move(turn_end);
  now_ = Clock::now();
  thread_ = std::thread([this] { Run(); });
}

void Lane::Stop() {
  {
    const process::MutexLock lock(mu_);
    is_stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  std::vector<Task> dropped;
  {
    const process::MutexLock lock(mu_);
    is_stopped_ = true;
    dropped.swap(queue_);
  }
  // Not under the lock: what a task owns may answer somebody when it goes, or own this lane.
  std::exchange(delayed_, {}).clear();
}

void Lane::Post(Task task) {
  bool is_first = false;
  {
    const process::MutexLock lock(mu_);
    if (is_stopped_) return;
    is_first = queue_.empty();
    queue_.push_back(std::move(task));
  }
  // Without the lock, which the lane would otherwise wait for as soon as it is awake.
  if (is_first) wake_.notify_one();
}

bool Lane::IsLater(const Delayed& a, const Delayed& b) {
  return a.at != b.at ? a.at > b.at : a.number > b.number;
}

void Lane::Delay(absl::Duration delay, Task task) {
  delayed_.push_back(
      {Clock::now() + absl::ToChronoNanoseconds(delay), ++delayed_count_, std::move(task)});
  std::push_heap(delayed_.begin(), delayed_.end(), IsLater);
}

void Lane::TakeDue() {
  while (!delayed_.empty() && delayed_.front().at <= now_) {
    std::pop_heap(delayed_.begin(), delayed_.end(), IsLater);
    turn_.push_back(std::move(delayed_.back().task));
    delayed_.pop_back();
  }
}

void Lane::Run() {
  while (true) {
    {
      process::MutexLock lock(mu_);
      while (queue_.empty() && !is_stopping_) {
        if (delayed_.empty()) {
          lock.Wait(wake_);
        } else if (!lock.WaitUntil(wake_, delayed_.front().at)) {
          break;
        }
      }
      if (queue_.empty() && is_stopping_) {
        // Under the lock: nothing posted from here on would ever run.
        is_stopped_ = true;
        return;
      }
      turn_.swap(queue_);
    }
    now_ = Clock::now();
    TakeDue();
    for (Task& task : turn_) task();
    turn_.clear();
    if (turn_end_) turn_end_();
  }
}

}  // namespace confab::control
