#include "storage/sqlite/sqlite_status.h"

#include <string>

#include <fmt/format.h>
#include <sqlite3.h>

namespace confab::storage {
namespace {

absl::StatusCode CodeOf(int primary) {
  switch (primary) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
      return absl::StatusCode::kUnavailable;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_INTERRUPT:
      return absl::StatusCode::kDeadlineExceeded;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return absl::StatusCode::kInvalidArgument;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status SqliteStatus(int code, std::string_view message, SqlitePhase phase) {
  const int primary = code & 0xFF;
  // An fsync that failed says nothing about what will be found after a crash.
  const bool is_in_doubt = phase == SqlitePhase::kCommitting && primary == SQLITE_IOERR;
  return absl::Status(is_in_doubt ? absl::StatusCode::kUnknown : CodeOf(primary),
                      fmt::format("SQLite: {} ({})", message, code));
}

}  // namespace confab::storage
