// store_lease.h: opens the store, waits to be the active control of it, and watches that it stays so.
// Owns: the store, one thread.   Used by: control.cc.
// Threads: any thread (guarded by `mu_`); callbacks run on the lease's thread.
// Fails: what may pass is tried again for ever, with a log line that says what to do; the rest
// goes to on_fatal, once.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "process/mutex.h"
#include "storage/store.h"

namespace confab::control {

struct StoreLeaseOptions {
  std::string store_name;  // For logs, without a password.
  // INVALID_ARGUMENT and FAILED_PRECONDITION are fatal, anything else is tried again.
  std::function<absl::StatusOr<std::unique_ptr<storage::Store>>()> open;
  std::function<void(storage::Store&)> on_active;  // Once.
  // After on_active: whether the store answers, at first and whenever it changes.
  std::function<void(bool)> on_serving;
  std::function<void(const absl::Status&)> on_fatal;
  absl::Duration lock_interval = absl::Milliseconds(500);
  absl::Duration ping_interval = absl::Seconds(2);
  absl::Duration retry_min = absl::Milliseconds(500);
  absl::Duration retry_max = absl::Seconds(10);
};

class StoreLease {
 public:
  explicit StoreLease(StoreLeaseOptions options);
  ~StoreLease();  // Stops.
  StoreLease(const StoreLease&) = delete;
  StoreLease& operator=(const StoreLease&) = delete;

  void Start();

  // Ends the thread; the store and its lock stay until Release, or until this object goes.
  void Stop();
  // Lets another control become active. REQUIRES: stopped, and nobody uses the store any more.
  void Release() { store_.reset(); }

  bool is_active() const;

  // OK while active and the store answered lately; else what is missing. Answers at once.
  absl::Status Readiness() const;

 private:
  void Run();
  bool Open();          // False: stopping, or fatal.
  bool BecomeActive();  // Likewise.
  void Watch();
  void SetServing(const absl::Status& store);
  void SetReadiness(absl::Status readiness);
  void Fail(const absl::Status& why);
  // False: stopping.
  bool Pause(absl::Duration time);

  const StoreLeaseOptions options_;
  std::unique_ptr<storage::Store> store_;  // Set once by the thread.
  bool is_serving_ = false;                // The thread's, as the next one.
  bool has_served_ = false;
  std::thread thread_;

  mutable process::Mutex mu_;
  std::condition_variable changed_;
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool is_active_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status readiness_ ABSL_GUARDED_BY(mu_);
};

}  // namespace confab::control
