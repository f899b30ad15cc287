// mutex.h: std::mutex with Clang's thread-safety annotations, which libstdc++'s own lacks. Members
// it guards are marked ABSL_GUARDED_BY(mu_); the clang preset then refuses an access without lock.
// Threads: any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include <absl/base/thread_annotations.h>

namespace confab::process {

class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mu_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mu_.unlock(); }

 private:
  friend class MutexLock;
  std::mutex mu_;
};

// Holds the mutex as long as it lives, except between Unlock and Lock.
// Waiting is written as a loop, `while (!ready_) lock.Wait(wake_);`, because the analysis cannot see
// that a predicate runs under the lock.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mu) ABSL_EXCLUSIVE_LOCK_FUNCTION(mu) : lock_(mu.mu_) {}
  ~MutexLock() ABSL_UNLOCK_FUNCTION() {}
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { lock_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { lock_.unlock(); }

  // May wake without reason. REQUIRES: locked.
  void Wait(std::condition_variable& wake) { wake.wait(lock_); }

  // The same; false once `deadline` has passed.
  bool WaitUntil(std::condition_variable& wake, std::chrono::steady_clock::time_point deadline) {
    return wake.wait_until(lock_, deadline) == std::cv_status::no_timeout;
  }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace confab::process
