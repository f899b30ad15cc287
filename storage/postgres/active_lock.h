// active_lock.h: one active process per database and schema, and a fence for its writers.
// The first lock says who is active; its session lives here. The second is held in shared mode by
// every writer's session: who becomes active takes it alone once, so that no commit of a former
// active process can still come. An epoch in the database tells whether a lock that was lost and
// taken again was anybody else's meanwhile.
// Owns: the lock's connection.   Used by: postgres_store, postgres_writer.
// Threads: any thread (guarded by mu_).
// Fails: as postgres_status says.
#pragma once

#include <cstdint>
#include <memory>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "process/mutex.h"
#include "storage/postgres/postgres_connection.h"

namespace confab::storage {

class ActiveLock {
 public:
  ActiveLock(const PostgresTarget& target, Watchdog& watchdog)
      : target_(target), watchdog_(watchdog) {}

  // False: another process is active, or writers of the former one still live. The schema is
  // brought up before anything else, by the session that holds the lock: a program that is still
  // active would go on writing as its own schema says.
  absl::StatusOr<bool> TryAcquire();

  // As Store::IsActive().
  absl::StatusOr<bool> IsHeld();

  // Makes the writer's session one that a successor waits for, then makes sure that the lock is
  // held. FAILED_PRECONDITION: another process is or was active. UNAVAILABLE: cannot tell now.
  absl::Status Admit(PostgresConnection& writer);

 private:
  absl::StatusOr<bool> Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<bool> TakeAnew() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<bool> Raise() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const PostgresTarget target_;
  Watchdog& watchdog_;
  process::Mutex mu_;
  // Holds the first lock whenever it is there.
  std::unique_ptr<PostgresConnection> connection_ ABSL_GUARDED_BY(mu_);
  int64_t epoch_ ABSL_GUARDED_BY(mu_) = 0;  // 0: never active so far.
  bool is_lost_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace confab::storage
