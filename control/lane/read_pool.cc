#include "control/lane/read_pool.h"

#include <utility>

namespace confab::control {

ReadPool::ReadPool(size_t threads, size_t queue_limit) : queue_limit_(queue_limit) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

ReadPool::~ReadPool() { Stop(); }

bool ReadPool::Run(Task&& task) {
  {
    const process::MutexLock lock(mu_);
    if (is_stopping_ || queue_.size() >= queue_limit_) return false;
    queue_.push_back(std::move(task));
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

void ReadPool::Work() {
  process::MutexLock lock(mu_);
  while (true) {
    while (queue_.empty() && !is_stopping_) lock.Wait(wake_);
    if (queue_.empty()) return;
    Task task = std::move(queue_.front());
    queue_.pop_front();
    const bool is_stopping = is_stopping_;
    lock.Unlock();
    task(is_stopping);
    task = nullptr;
    lock.Lock();
  }
}

}  // namespace confab::control
