// sqlite_connection.h: one SQLite connection and its prepared statements, closed by themselves.
// Owns: the sqlite3 handle.   Used by: sqlite_reader, sqlite_writer, sqlite_schema.
// Threads: caller serialises.
// Fails: as sqlite_status says.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "storage/sqlite/sqlite_status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace confab::storage {

// A prepared statement. Text given to Bind must live until the statement is reset.
class SqliteStatement {
 public:
  SqliteStatement() = default;
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}

  // Binds all parameters from 1 on.
  template <typename... Args>
  void Bind(const Args&... args) {
    int index = 0;
    (BindOne(++index, args), ...);
  }
  // True: a row is there. After false or an error the statement is reset.
  absl::StatusOr<bool> Step();
  // Binds, runs to the end, resets.
  template <typename... Args>
  absl::Status Run(const Args&... args) {
    Bind(args...);
    return RunToEnd();
  }
  void Reset();

  int64_t Int(int column) const;
  std::string Text(int column) const;
  size_t Bytes(int column) const;  // Of the text.

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  void BindOne(int index, std::string_view text);
  void BindOne(int index, int64_t number);
  absl::Status RunToEnd();
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class SqliteConnection {
 public:
  // Opens the file as WAL with synchronous=FULL and checks that both are so.
  // FAILED_PRECONDITION: they cannot be had there.
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path,
                                                                bool is_read_only);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  absl::StatusOr<SqliteStatement> Prepare(std::string_view sql);
  // Runs any number of statements without parameters.
  absl::Status Execute(std::string_view sql, SqlitePhase phase = SqlitePhase::kRunning);
  // The first column of the first row, as text.
  absl::StatusOr<std::string> ReadOne(std::string_view sql);
  // Statements that still run by then answer DEADLINE_EXCEEDED.
  void SetDeadline(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }
  bool is_in_transaction() const;

 private:
  SqliteConnection() = default;
  static int OnProgress(void* self);
  absl::Status Configure(bool is_read_only);

  sqlite3* handle_ = nullptr;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
};

// From BEGIN to COMMIT; rolled back if it ends without.
class SqliteTransaction {
 public:
  explicit SqliteTransaction(SqliteConnection& connection) : connection_(connection) {}
  ~SqliteTransaction();
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;

  // "BEGIN", "BEGIN IMMEDIATE" or "BEGIN EXCLUSIVE".
  absl::Status Begin(std::string_view begin);
  // UNKNOWN: whether it is stored shows only after the next start.
  absl::Status Commit();

 private:
  SqliteConnection& connection_;
};

}  // namespace confab::storage
