#include "control/lane/read_pool.h"

#include <utility>

namespace confab::control {

ReadPool::ReadPool(size_t threads, size_t queue_limit) : queue_limit_(queue_limit) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

ReadPool::~ReadPool() { Stop(); }

bool ReadPool::HasRoom(ReadShare share) const {
  if (needed_.size() + others_.size() >= queue_limit_) return false;
  if (share == ReadShare::kNeeded) return true;
  if (others_.size() >= queue_limit_ * 3 / 4) return false;
  return share == ReadShare::kCalls || pages_ < queue_limit_ / 2;
}

bool ReadPool::Run(Task&& task, ReadShare share) {
  {
    const process::MutexLock lock(mu_);
    if (is_stopping_ || !HasRoom(share)) return false;
    if (share == ReadShare::kNeeded) {
      needed_.push_back(std::move(task));
    } else {
      others_.push_back({std::move(task), share});
      if (share == ReadShare::kPages) ++pages_;
    }
  }
  // Without the lock, which the reader would otherwise wait for as soon as it is awake.
  wake_.notify_one();
  return true;
}

void ReadPool::Stop() {
  {
    const process::MutexLock lock(mu_);
    is_stopping_ = true;
    wake_.notify_all();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

// REQUIRES: something waits.
ReadPool::Task ReadPool::Take() {
  Task task;
  if (!needed_.empty()) {
    task = std::move(needed_.front());
    needed_.pop_front();
  } else {
    task = std::move(others_.front().task);
    if (others_.front().share == ReadShare::kPages) --pages_;
    others_.pop_front();
  }
  return task;
}

void ReadPool::Work() {
  process::MutexLock lock(mu_);
  while (true) {
    while (needed_.empty() && others_.empty() && !is_stopping_) lock.Wait(wake_);
    if (needed_.empty() && others_.empty()) return;
    Task task = Take();
    const bool is_stopping = is_stopping_;
    lock.Unlock();
    task(is_stopping);
    task = nullptr;
    lock.Lock();
  }
}

}  // namespace confab::control
