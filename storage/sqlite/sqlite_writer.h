// sqlite_writer.h: the StoreWriter of a SQLite file.
// Owns: its connection and statements.   Used by: sqlite_store.
// Threads: caller serialises; several writers wait for each other in BEGIN IMMEDIATE.
// Fails: as store.h says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "process/stopwatch.h"
#include "storage/append_plan.h"
#include "storage/sqlite/sqlite_audit.h"
#include "storage/sqlite/sqlite_connection.h"
#include "storage/sqlite/sqlite_feed.h"
#include "storage/sqlite/sqlite_inbox.h"
#include "storage/sqlite/sqlite_pointers.h"
#include "storage/sqlite/sqlite_upkeep.h"
#include "storage/store.h"

namespace confab::storage {

class SqliteWriter : public StoreWriter {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteWriter>> Open(const std::string& path);

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
  struct RoomRow;
  explicit SqliteWriter(std::unique_ptr<SqliteConnection> connection);
  absl::Status PrepareAll();
  absl::Status LookUpRooms(AppendPlanner& planner);
  absl::Status LookUpKeys(AppendBatch batch, AppendPlanner& planner);
  absl::Status LookUpTargets(AppendBatch batch, AppendPlanner& planner);
  absl::Status Write(const AppendPlan& plan);
  absl::Status WriteTarget(const PlannedTarget& target);
  absl::Status WriteEvent(const PlannedEvent& planned);
  absl::Status WriteSettings(const RoomId& room, const RoomSettings& settings);
  absl::StatusOr<RoomRow> FindRow(const RoomId& room);
  absl::StatusOr<RoomRecord> CreateOver(const NewRoom& room, const RoomRow& row);
  // Removes rows of deleted rooms until none are left or the time is over.
  absl::Status Purge(absl::Duration limit);
  absl::Status PurgeRoom(const RoomId& room, const process::Stopwatch& purging,
                         absl::Duration limit);

  std::unique_ptr<SqliteConnection> connection_;
  SqliteStatement find_room_;
  SqliteStatement find_key_;
  SqlitePointers pointers_;
  SqliteUpkeep upkeep_;
  SqliteStatement find_target_;
  SqliteStatement update_target_;
  SqliteStatement add_pointer_;
  SqliteStatement insert_event_;
  SqliteStatement update_room_;
  SqliteStatement upsert_member_;
  SqliteStatement upsert_room_;
  SqliteStatement set_state_;
  SqliteStatement next_to_purge_;
  SqliteStatement purge_members_;
  SqliteStatement purge_pointers_;
  SqliteStatement purge_events_;
  SqliteInboxWriter inboxes_;
  SqliteFeedWriter feed_;
  SqliteStatement set_settings_;
  SqliteAuditWriter audit_;
};

}  // namespace confab::storage
