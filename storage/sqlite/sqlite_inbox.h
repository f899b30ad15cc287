// sqlite_inbox.h: the inboxes of a SQLite file: the statements that write and read them.
// Owns: its statements.   Used by: sqlite_writer, sqlite_reader, which hold the transaction.
// Threads: caller serialises.
// Fails: as store.h says.
#pragma once

#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "storage/inbox.h"
#include "storage/inbox_plan.h"
#include "storage/sqlite/sqlite_connection.h"

namespace confab::storage {

class SqliteInboxWriter {
 public:
  absl::Status Prepare(SqliteConnection& connection);
  // REQUIRES: within a transaction that may write.
  absl::StatusOr<std::vector<InboxOutcome>> Write(absl::Span<const InboxWrite> batch);

 private:
  absl::Status LookUp(absl::Span<const InboxWrite> batch, InboxPlanner& planner);
  absl::Status Count(InboxPlanner& planner);
  absl::Status Insert(const InboxPlan::Row& row);
  absl::Status Tidy(absl::Time now);

  SqliteStatement find_head_;
  SqliteStatement find_key_;
  SqliteStatement waiting_;
  SqliteStatement remove_expired_of_;
  SqliteStatement insert_;
  SqliteStatement insert_key_;
  SqliteStatement set_head_;
  SqliteStatement remove_acked_;
  SqliteStatement remove_expired_;
  SqliteStatement forget_keys_;
};

class SqliteInboxReader {
 public:
  absl::Status Prepare(SqliteConnection& connection);
  absl::StatusOr<std::vector<InboxHead>> ReadHeads(absl::Span<const UserId> users);
  absl::StatusOr<InboxOutcome> FindKey(const UserId& user, const std::string& key,
                                       absl::Time since);
  // REQUIRES: within a transaction.
  absl::StatusOr<InboxPage> Read(const InboxQuery& query);

 private:
  SqliteStatement head_;
  SqliteStatement find_key_;
  SqliteStatement page_;
};

}  // namespace confab::storage
