// sqlite_audit.h: the table audit: rows in, pages out.
// Owns: its statements, on a connection of its caller's.   Used by: sqlite_writer, sqlite_reader.
// Threads: caller serialises.
// Fails: with what the statement answers.
#pragma once

#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "storage/audit.h"
#include "storage/sqlite/sqlite_connection.h"

namespace confab::storage {

class SqliteAuditWriter {
 public:
  absl::Status Prepare(SqliteConnection& connection);
  // REQUIRES: a transaction is open.
  absl::Status Write(absl::Span<const AuditRecord> records, absl::Time now);

 private:
  SqliteStatement insert_;
};

class SqliteAuditReader {
 public:
  absl::Status Prepare(SqliteConnection& connection);
  absl::StatusOr<std::vector<AuditRecord>> List(const AuditQuery& query);

 private:
  SqliteStatement all_;
  SqliteStatement by_room_;
  SqliteStatement by_actor_;
  SqliteStatement by_subject_;
};

}  // namespace confab::storage
