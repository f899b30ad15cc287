#include "storage/sqlite/sqlite_connection.h"

#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

namespace confab::storage {
namespace {

// Another writer holds the file for one commit only; longer means that it is stuck (DESIGN 7).
constexpr int kBusyLimitMs = 2000;
// How many virtual machine instructions pass between two looks at the clock: some 100 us.
constexpr int kProgressSteps = 2000;
// The writer touches two index leaves for each busy room; readers are several and read pages in a
// row.
constexpr int kWriterCacheKib = 32 * 1024;
constexpr int kReaderCacheKib = 4 * 1024;
// 32 MiB of WAL: a page that many batches change is written back once. With the default of 1,000
// pages a batch of 512 cost a third more CPU.
constexpr int kCheckpointPages = 8192;
// What a burst leaves of the WAL is cut to this.
constexpr int kWalBytesKept = 64 * 1024 * 1024;

absl::Status StatusOf(sqlite3* handle, int code, SqlitePhase phase = SqlitePhase::kRunning) {
  return SqliteStatus(
      sqlite3_extended_errcode(handle) != SQLITE_OK ? sqlite3_extended_errcode(handle) : code,
      sqlite3_errmsg(handle), phase);
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void SqliteStatement::BindOne(int index, std::string_view text) {
  // A null pointer would bind NULL, also for an empty text.
  sqlite3_bind_text64(statement_.get(), index, text.empty() ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}

void SqliteStatement::BindOne(int index, int64_t number) {
  sqlite3_bind_int64(statement_.get(), index, number);
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    Reset();
    return false;
  }
  auto status = StatusOf(sqlite3_db_handle(statement_.get()), code);
  Reset();
  return status;
}

absl::Status SqliteStatement::RunToEnd() {
  while (true) {
    const auto has_row = Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) return absl::OkStatus();
  }
}

void SqliteStatement::Reset() { sqlite3_reset(statement_.get()); }

int64_t SqliteStatement::Int(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string SqliteStatement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return text == nullptr
             ? std::string()
             : std::string(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
}

size_t SqliteStatement::Bytes(int column) const {
  return static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column));
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path,
                                                                         bool is_read_only) {
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection);
  // Readers open for writing too: reading a WAL needs its shared memory. query_only holds them.
  const int code = sqlite3_open_v2(
      path.c_str(), &connection->handle_,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  if (code != SQLITE_OK) {
    return SqliteStatus(code, fmt::format("cannot open {}: {}", path, sqlite3_errstr(code)));
  }
  if (auto status = connection->Configure(is_read_only); !status.ok()) return status;
  return connection;
}

SqliteConnection::~SqliteConnection() { sqlite3_close_v2(handle_); }

absl::Status SqliteConnection::Configure(bool is_read_only) {
  sqlite3_busy_timeout(handle_, kBusyLimitMs);
  sqlite3_progress_handler(handle_, kProgressSteps, &SqliteConnection::OnProgress, this);
  const auto journal = ReadOne("PRAGMA journal_mode = WAL");
  if (!journal.ok()) return journal.status();
  if (*journal != "wal") {
    return absl::FailedPreconditionError(
        fmt::format("SQLite: journal_mode is {}, WAL cannot be had on this file system", *journal));
  }
  auto status = Execute(fmt::format(
      "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -{};"
      "PRAGMA wal_autocheckpoint = {}; PRAGMA journal_size_limit = {}",
      is_read_only ? kReaderCacheKib : kWriterCacheKib, kCheckpointPages, kWalBytesKept));
  if (!status.ok()) return status;
  const auto synchronous = ReadOne("PRAGMA synchronous");
  if (!synchronous.ok()) return synchronous.status();
  if (*synchronous != "2") {
    return absl::FailedPreconditionError(
        fmt::format("SQLite: synchronous is {} instead of 2 (FULL)", *synchronous));
  }
  return is_read_only ? Execute("PRAGMA query_only = ON") : absl::OkStatus();
}

int SqliteConnection::OnProgress(void* self) {
  const auto deadline = static_cast<SqliteConnection*>(self)->deadline_;
  return deadline != std::chrono::steady_clock::time_point::max() &&
         std::chrono::steady_clock::now() > deadline;
}

absl::StatusOr<SqliteStatement> SqliteConnection::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return StatusOf(handle_, code);
  return SqliteStatement(statement);
}

absl::Status SqliteConnection::Execute(std::string_view sql, SqlitePhase phase) {
  const int code = sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : StatusOf(handle_, code, phase);
}

absl::StatusOr<std::string> SqliteConnection::ReadOne(std::string_view sql) {
  auto statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  const auto has_row = statement->Step();
  if (!has_row.ok()) return has_row.status();
  return *has_row ? statement->Text(0) : std::string();
}

bool SqliteConnection::is_in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

SqliteTransaction::~SqliteTransaction() {
  // SQLite rolls back by itself after some errors; then there is nothing left to do.
  if (connection_.is_in_transaction()) connection_.Execute("ROLLBACK").IgnoreError();
}

absl::Status SqliteTransaction::Begin(std::string_view begin) { return connection_.Execute(begin); }

absl::Status SqliteTransaction::Commit() {
  return connection_.Execute("COMMIT", SqlitePhase::kCommitting);
}

}  // namespace confab::storage
