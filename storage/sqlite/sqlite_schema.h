// sqlite_schema.h: the schema of the SQLite backend.
#pragma once

#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "storage/migrator.h"

namespace confab::storage {

// The files of migrations/, in order.
absl::Span<const Migration> SqliteMigrations();

// Of the file, which is made if there is none; 0: nothing of ours is in it.
absl::StatusOr<int> ReadSqliteVersion(const std::string& path);

// FAILED_PRECONDITION: the file's schema is newer than this program, or it is no database.
absl::Status CheckSqliteVersion(const std::string& path);

// Brings the file's schema up, under BEGIN EXCLUSIVE.
absl::Status MigrateSqlite(const std::string& path, absl::Span<const Migration> migrations);

}  // namespace confab::storage
