#include "storage/sqlite/sqlite_status.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace confab::storage {
namespace {

using Code = absl::StatusCode;

TEST(SqliteStatus, TranslatesEachCodeAsItsTableSays) {
  const std::pair<int, Code> cases[] = {
      {SQLITE_BUSY, Code::kUnavailable},
      {SQLITE_BUSY_SNAPSHOT, Code::kUnavailable},
      {SQLITE_LOCKED, Code::kUnavailable},
      {SQLITE_IOERR_READ, Code::kUnavailable},
      {SQLITE_CANTOPEN, Code::kUnavailable},
      {SQLITE_FULL, Code::kResourceExhausted},
      {SQLITE_NOMEM, Code::kResourceExhausted},
      {SQLITE_INTERRUPT, Code::kDeadlineExceeded},
      {SQLITE_CONSTRAINT_UNIQUE, Code::kInvalidArgument},
      {SQLITE_TOOBIG, Code::kInvalidArgument},
      {SQLITE_READONLY, Code::kFailedPrecondition},
      {SQLITE_CORRUPT, Code::kFailedPrecondition},
      {SQLITE_NOTADB, Code::kFailedPrecondition},
      {SQLITE_MISUSE, Code::kInternal},
      {SQLITE_ERROR, Code::kInternal},
  };
  for (const auto& [code, expected] : cases) {
    EXPECT_EQ(SqliteStatus(code, "x").code(), expected) << code;
  }
}

TEST(SqliteStatus, OnlyAnIoErrorOfCommitIsInDoubt) {
  EXPECT_EQ(SqliteStatus(SQLITE_IOERR_FSYNC, "x", SqlitePhase::kCommitting).code(), Code::kUnknown);
  EXPECT_EQ(SqliteStatus(SQLITE_FULL, "x", SqlitePhase::kCommitting).code(),
            Code::kResourceExhausted);
  EXPECT_EQ(SqliteStatus(SQLITE_BUSY, "x", SqlitePhase::kCommitting).code(), Code::kUnavailable);
}

}  // namespace
}  // namespace confab::storage
