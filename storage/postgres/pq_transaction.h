// pq_transaction.h: a transaction whose statements travel together, by libpq's pipeline: one trip for
// what has to be known, one for what is written, and for COMMIT.
// Owns: nothing; the session is the connection's.   Used by: postgres_writer, append_statements.
// Threads: caller serialises. On its connection nothing else is done while it lives.
// Fails: as postgres_connection does. All statements of a trip share one limit on our side, so that a
// server that is stopped is given up as soon as it is for a single one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "storage/postgres/binary_values.h"
#include "storage/postgres/postgres_connection.h"

namespace confab::storage {

// BEGIN, COMMIT and ROLLBACK; to be prepared on a connection that has such transactions.
absl::Span<const PreparedStatement> PqTransactionStatements();

// The rows of one statement. REQUIRES: there is such a row and column, and it is not NULL.
class PqRows {
 public:
  explicit PqRows(PGresult* result) : result_(result, &PQclear) {}
  int size() const { return PQntuples(result_.get()); }
  std::string_view Text(int row, int column) const;
  int64_t Int(int row, int column) const;
  // What was done: "COMMIT".
  std::string_view Tag() const { return PQcmdStatus(result_.get()); }
  const PGresult* get() const { return result_.get(); }

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

class PqTransaction {
 public:
  explicit PqTransaction(PostgresConnection& connection);
  // Rolls back what was begun and not committed.
  ~PqTransaction();
  PqTransaction(const PqTransaction&) = delete;
  PqTransaction& operator=(const PqTransaction&) = delete;

  // A prepared statement for the next trip; BEGIN goes before the first one. Its values are not
  // needed afterwards.
  template <typename... Args>
  void Send(const char* name, const Args&... args) {
    const Value values[] = {Value(args)...};
    SendValues(name, values);
  }

  // Makes the trip and answers each statement that was sent, in order. The status of the first one
  // that failed: nothing else is to be done with the transaction then.
  absl::StatusOr<std::vector<PqRows>> Ask();

  // The last trip: what was sent, and COMMIT, which the server does not read if something before it
  // fails. UNKNOWN: its answer was lost.
  absl::Status Commit();

 private:
  // A parameter, as text or in binary.
  class Value {
   public:
    explicit Value(const std::string& text) : bytes_(text) {}
    explicit Value(BinaryValue value) : bytes_(value.bytes), is_binary_(true) {}
    explicit Value(bool is_so) : own_(is_so ? "true" : "false") {}
    template <typename Number>
    requires(std::is_integral_v<Number> &&
             !std::is_same_v<Number, bool>) explicit Value(Number number)
        : own_(std::to_string(number)) {}
    explicit Value(const char*) = delete;  // It would be a bool.
    // Text ends with a NUL.
    const char* data() const { return own_.empty() ? bytes_.data() : own_.c_str(); }
    int size() const { return static_cast<int>(bytes_.size()); }
    bool is_binary() const { return is_binary_; }

   private:
    std::string_view bytes_;
    std::string own_;
    bool is_binary_ = false;
  };

  void SendValues(const char* name, absl::Span<const Value> values);
  void Queue(const char* name, absl::Span<const Value> values);
  // Reads a result for each statement that was queued.
  absl::StatusOr<std::vector<PqRows>> Trip();
  absl::StatusOr<std::vector<PqRows>> Read();
  // The session is gone, or what it says cannot be understood.
  absl::Status Lost();
  void RollBack();

  PostgresConnection& connection_;
  PGconn& handle_;
  std::optional<Watchdog::Guard> wait_;  // Of the trip under way: sending may block, too.
  size_t queued_ = 0;                    // Statements of that trip.
  bool is_begun_ = false;
  bool has_begin_ = false;  // The trip's first statement is BEGIN.
  bool is_unsendable_ = false;
  bool has_commit_ = false;  // The trip's last statement is COMMIT.
};

}  // namespace confab::storage
