// postgres_writer.h: the StoreWriter of a PostgreSQL database. A handful of messages is one trip to
// it (one_trip_append), any other batch two (append_statements).
// Owns: its connection, which it builds anew after it broke.   Used by: postgres_store.
// Threads: caller serialises; several writers lock rooms in the order of their ids.
// Fails: as store.h says.
#pragma once

#include <memory>
#include <vector>

#include "process/stopwatch.h"
#include "storage/append_plan.h"
#include "storage/postgres/active_lock.h"
#include "storage/postgres/binary_values.h"
#include "storage/postgres/postgres_connection.h"
#include "storage/store.h"

namespace confab::storage {

class PostgresWriter : public StoreWriter {
 public:
  // The references outlive the writer.
  static absl::StatusOr<std::unique_ptr<PostgresWriter>> Open(const PostgresTarget& target,
                                                              Watchdog& watchdog,
                                                              ActiveLock& active_lock);

  absl::StatusOr<std::vector<AppendOutcome>> Append(AppendBatch batch) override;
  absl::StatusOr<RoomRecord> CreateRoom(const NewRoom& room) override;
  absl::StatusOr<std::vector<InboxOutcome>> WriteInboxes(
      absl::Span<const InboxWrite> batch) override;
  absl::Status SetFeedCursor(const FeedCursor& cursor) override;
  absl::Status DeleteFeedCursor(const std::string& consumer) override;
  absl::Status DeleteRoom(const RoomId& room, const AuditRecord* audit) override;
  absl::Status WriteAudit(absl::Span<const AuditRecord> records) override;
  absl::StatusOr<std::vector<PointerOutcome>> MovePointers(
      absl::Span<const PointerMove> moves) override;
  absl::Status SetRetention(const RoomId& room, const Retention& retention,
                            const AuditRecord* audit) override;
  absl::StatusOr<PointerRepair> RepairPointers(absl::Duration window, const PointerRepair& from,
                                               int32_t rooms) override;
  absl::StatusOr<TrimStep> Trim(const RoomId& room, int32_t rows) override;
  absl::StatusOr<EraseStep> Erase(const RoomId& room, const UserId& user, int64_t after_seq,
                                  int32_t rows) override;

 private:
  PostgresWriter(const PostgresTarget& target, Watchdog& watchdog, ActiveLock& active_lock)
      : target_(target), watchdog_(watchdog), active_lock_(active_lock) {}
  // A session that works and is admitted by the active lock.
  absl::Status EnsureConnected();
  absl::StatusOr<std::vector<AppendOutcome>> AppendInTwoTrips(AppendBatch batch);
  absl::StatusOr<RoomRecord> CreateOver(const NewRoom& room);
  // Removes rows of deleted rooms until none are left or the time is over.
  absl::Status Purge(absl::Duration limit);
  absl::Status PurgeRoom(const RoomId& room, const process::Stopwatch& purging,
                         absl::Duration limit);

  const PostgresTarget& target_;
  Watchdog& watchdog_;
  ActiveLock& active_lock_;
  std::unique_ptr<PostgresConnection> connection_;
  PostgresType event_type_ = 0;  // In that session's database.
};

}  // namespace confab::storage
