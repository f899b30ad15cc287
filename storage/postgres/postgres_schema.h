// postgres_schema.h: the schema of the PostgreSQL backend, and what a server must be set to.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "storage/migrator.h"
#include "storage/postgres/postgres_connection.h"

namespace confab::storage {

// The files of migrations/, in order.
absl::Span<const Migration> PostgresMigrations();

// Of the current schema; 0: there is none of ours.
absl::StatusOr<int> ReadPostgresVersion(PostgresConnection& connection);

// FAILED_PRECONDITION: the current schema is newer than this program. An older one, or none, is OK.
absl::Status CheckPostgresVersion(PostgresConnection& connection);

// Brings the current schema up, in one transaction under an advisory lock; it may take long.
absl::Status MigratePostgres(PostgresConnection& connection,
                             absl::Span<const Migration> migrations);

// FAILED_PRECONDITION, naming what is wrong: too old, not UTF-8, no schema, or settings with
// which a committed transaction can be lost.
absl::Status CheckServer(PostgresConnection& connection, bool allow_unsafe_durability);

}  // namespace confab::storage
