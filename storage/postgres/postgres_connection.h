// postgres_connection.h: one session, in which every wait is bounded and nothing throws.
// Owns: the libpqxx connection.   Used by: postgres_reader, postgres_writer, active_lock.
// Threads: caller serialises.
// Fails: as postgres_status says; once is_broken() it must be thrown away.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "storage/postgres/postgres_status.h"
#include "storage/postgres/postgres_target.h"
#include "storage/postgres/pqxx_shim.h"
#include "storage/postgres/watchdog.h"

namespace confab::storage {

struct PreparedStatement {
  const char* name;
  const char* sql;
};

// Inside Transact(): may throw what libpqxx throws.
class PostgresTransaction {
 public:
  PostgresTransaction(pqxx::work& work, Watchdog::Guard& guard) : work_(work), guard_(guard) {}
  template <typename... Args>
  pqxx::result Run(const char* name, const Args&... args) {
    guard_.Restart();
    return ExecPrepared(work_, name, args...);
  }
  pqxx::result RunText(const std::string& sql) {
    guard_.Restart();
    return work_.exec(sql);
  }

 private:
  pqxx::work& work_;
  Watchdog::Guard& guard_;
};

class PostgresConnection {
 public:
  // Connects, and sets the session's limits.
  static absl::StatusOr<std::unique_ptr<PostgresConnection>> Open(const PostgresTarget& target,
                                                                  Watchdog& watchdog);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  absl::Status Prepare(absl::Span<const PreparedStatement> statements);

  // One prepared statement that is a transaction of its own.
  template <typename... Args>
  absl::StatusOr<pqxx::result> Query(const char* name, const Args&... args) {
    return RunAlone(PostgresPhase::kRunning, [&](pqxx::nontransaction& alone) {
      return ExecPrepared(alone, name, args...);
    });
  }
  // The same for one that appends: it is its own COMMIT, so UNKNOWN if its answer was lost.
  template <typename... Args>
  absl::StatusOr<pqxx::result> Commit(const char* name, const Args&... args) {
    if (HasPeerEnded()) return PeerEnded();
    return RunAlone(PostgresPhase::kCommitting, [&](pqxx::nontransaction& alone) {
      return ExecPrepared(alone, name, args...);
    });
  }
  // The same for SQL text; several statements are one transaction.
  absl::StatusOr<pqxx::result> Execute(const std::string& sql);

  // BEGIN, body, COMMIT; rolled back if the body's status is not OK or it throws. UNKNOWN: the
  // answer to COMMIT was lost.
  absl::Status Transact(absl::FunctionRef<absl::Status(PostgresTransaction&)> body);

  // Changes how long one statement may take, here and at the server.
  absl::Status SetStatementLimit(absl::Duration limit);
  absl::Duration statement_limit() const { return target_.statement_timeout; }

  bool is_broken() const { return is_broken_; }
  // True: broken because an answer did not come in time.
  bool has_timed_out() const { return has_timed_out_; }
  int server_version() const { return connection_->server_version(); }

 private:
  friend class PqTransaction;
  PostgresConnection(const PostgresTarget& target, Watchdog& watchdog);
  absl::Status Connect();
  absl::StatusOr<pqxx::result> RunAlone(
      PostgresPhase phase, absl::FunctionRef<pqxx::result(pqxx::nontransaction&)> statement);
  // The server has ended the session already: what is sent now is never done.
  bool HasPeerEnded() const;
  absl::Status PeerEnded();
  // No answer came in time.
  absl::Status TimedOut(PostgresPhase phase);
  // REQUIRES: within a catch block.
  absl::Status Failed(const std::exception& error, PostgresPhase phase, bool has_timed_out);
  Watchdog::Clock::duration answer_limit() const {
    return absl::ToChronoNanoseconds(target_.answer_limit());
  }

  PostgresTarget target_;
  Watchdog& watchdog_;
  std::unique_ptr<SharedConnection> connection_;
  // A second descriptor of the socket: libpq closes its own as soon as it reads the end of file,
  // and the number could mean another file by the time the watchdog fires.
  int socket_ = -1;
  std::optional<Watchdog::Session> waits_;  // On socket_.
  bool is_broken_ = false;
  bool has_timed_out_ = false;
};

}  // namespace confab::storage
