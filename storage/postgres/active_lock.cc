#include "storage/postgres/active_lock.h"

#include "storage/postgres/postgres_schema.h"

namespace confab::storage {
namespace {

// Advisory locks belong to a database; the schema's name makes them belong to ours in it.
#define CONFAB_ACTIVE_KEY "hashtextextended('confab/active/' || current_schema(), 0)"
#define CONFAB_FENCE_KEY "hashtextextended('confab/fence/' || current_schema(), 0)"
constexpr const char* kTryActive = "SELECT pg_try_advisory_lock(" CONFAB_ACTIVE_KEY ")";
constexpr const char* kTryFence = "SELECT pg_try_advisory_lock(" CONFAB_FENCE_KEY ")";
constexpr const char* kTryFenceShared = "SELECT pg_try_advisory_lock_shared(" CONFAB_FENCE_KEY ")";
constexpr const char* kReleaseFence = "SELECT pg_advisory_unlock(" CONFAB_FENCE_KEY ")";
#undef CONFAB_ACTIVE_KEY
#undef CONFAB_FENCE_KEY
constexpr const char* kReadEpoch = "SELECT epoch FROM activity";
constexpr const char* kNextEpoch = "UPDATE activity SET epoch = epoch + 1 RETURNING epoch";

absl::Status NotActive() {
  return absl::FailedPreconditionError("another process is or was active on this database");
}

absl::StatusOr<bool> ReadBool(PostgresConnection& connection, const char* sql) {
  const auto rows = connection.Execute(sql);
  if (!rows.ok()) return rows.status();
  return (*rows)[0][0].as<bool>();
}

absl::StatusOr<int64_t> ReadInt(PostgresConnection& connection, const char* sql) {
  const auto rows = connection.Execute(sql);
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return absl::FailedPreconditionError("the table activity is empty");
  return (*rows)[0][0].as<int64_t>();
}

}  // namespace

absl::StatusOr<bool> ActiveLock::TryAcquire() {
  const process::MutexLock lock(mu_);
  if (is_lost_) {
    is_lost_ = false;
    epoch_ = 0;
  }
  return Take();
}

absl::StatusOr<bool> ActiveLock::IsHeld() {
  const process::MutexLock lock(mu_);
  if (epoch_ == 0 || is_lost_) return false;
  return Take();
}

absl::Status ActiveLock::Admit(PostgresConnection& writer) {
  // In this order: once the fence is shared, nobody becomes active until the writer is gone.
  const auto is_shared = ReadBool(writer, kTryFenceShared);
  if (!is_shared.ok()) return is_shared.status();
  if (!*is_shared) return NotActive();
  const process::MutexLock lock(mu_);
  if (epoch_ == 0 || is_lost_) return NotActive();
  const auto is_held = Take();
  if (!is_held.ok()) return is_held.status();
  return *is_held ? absl::OkStatus() : NotActive();
}

absl::StatusOr<bool> ActiveLock::Take() {
  // The session answers, so it lives, so it has its lock.
  if (connection_ != nullptr && !connection_->Execute("SELECT 1").ok()) connection_.reset();
  if (connection_ == nullptr) {
    const auto is_taken = TakeAnew();
    if (!is_taken.ok() || !*is_taken) {
      connection_.reset();
      return is_taken;
    }
  }
  if (epoch_ != 0) return true;
  auto is_raised = Raise();
  if (!is_raised.ok()) connection_.reset();
  return is_raised;
}

absl::StatusOr<bool> ActiveLock::TakeAnew() {
  auto opened = PostgresConnection::Open(target_, watchdog_);
  if (!opened.ok()) return opened.status();
  connection_ = *std::move(opened);
  const auto is_locked = ReadBool(*connection_, kTryActive);
  if (!is_locked.ok()) return is_locked.status();
  if (!*is_locked) {
    is_lost_ = epoch_ != 0;
    return false;
  }
  if (epoch_ == 0) return true;
  const auto epoch = ReadInt(*connection_, kReadEpoch);
  if (!epoch.ok()) return epoch.status();
  is_lost_ = *epoch != epoch_;
  return !is_lost_;
}

absl::StatusOr<bool> ActiveLock::Raise() {
  const auto is_fenced = ReadBool(*connection_, kTryFence);
  if (!is_fenced.ok() || !*is_fenced) return is_fenced;
  // Nobody writes now, and nobody else can become active.
  auto status = MigratePostgres(*connection_, PostgresMigrations());
  if (!status.ok()) return status;
  const auto epoch = ReadInt(*connection_, kNextEpoch);
  if (!epoch.ok()) return epoch.status();
  if (const auto released = connection_->Execute(kReleaseFence); !released.ok()) {
    return released.status();
  }
  epoch_ = *epoch;
  return true;
}

}  // namespace confab::storage
