#include "storage/postgres/postgres_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace confab::storage {
namespace {

// A process that was stopped within a transaction must not hold its rooms' locks for ever.
constexpr int kIdleInTransactionLimitMs = 5000;

// Every query here is made for an index. Without seq scans and hash joins a plan that was cached
// while a table was small cannot become a trap when it has grown; JIT would cost more than it
// gives on statements this short. The keep-alives are the server's: it must notice soon that we
// vanished, because our session holds the lock that a successor waits for.
std::string SessionSettings(absl::Duration statement_timeout) {
  return fmt::format(
      "SET statement_timeout = {}; SET idle_in_transaction_session_timeout = {}; SET jit = off;"
      "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
      "SET plan_cache_mode = force_generic_plan;"
      "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5;"
      "SET tcp_keepalives_count = 3; SET tcp_user_timeout = 10000",
      absl::ToInt64Milliseconds(statement_timeout), kIdleInTransactionLimitMs);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresConnection::Open(
    const PostgresTarget& target, Watchdog& watchdog) {
  std::unique_ptr<PostgresConnection> connection(new PostgresConnection(target, watchdog));
  if (auto status = connection->Connect(); !status.ok()) return status;
  const auto settings = connection->Execute(SessionSettings(target.statement_timeout));
  if (!settings.ok()) return settings.status();
  return connection;
}

PostgresConnection::PostgresConnection(const PostgresTarget& target, Watchdog& watchdog)
    : target_(target), watchdog_(watchdog) {}

PostgresConnection::~PostgresConnection() {
  connection_.reset();
  waits_.reset();
  if (socket_ >= 0) close(socket_);
}

absl::Status PostgresConnection::Connect() {
  try {
    connection_ = std::make_unique<SharedConnection>(target_.conninfo);
    ForbidReconnect(*connection_);
    socket_ = fcntl(connection_->sock(), F_DUPFD_CLOEXEC, 0);
    if (socket_ < 0) return absl::ResourceExhaustedError("no file descriptor is free");
    waits_.emplace(watchdog_, socket_);
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return Failed(error, PostgresPhase::kRunning, false);
  }
}

absl::Status PostgresConnection::Prepare(absl::Span<const PreparedStatement> statements) {
  Watchdog::Guard guard(*waits_, answer_limit());
  try {
    for (const PreparedStatement& statement : statements) {
      guard.Restart();
      PrepareNow(*connection_, statement.name, statement.sql);
    }
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return Failed(error, PostgresPhase::kRunning, guard.has_fired());
  }
}

absl::StatusOr<pqxx::result> PostgresConnection::RunAlone(
    PostgresPhase phase, absl::FunctionRef<pqxx::result(pqxx::nontransaction&)> statement) {
  const Watchdog::Guard guard(*waits_, answer_limit());
  try {
    pqxx::nontransaction alone(*connection_);
    return statement(alone);
  } catch (const std::exception& error) {
    return Failed(error, phase, guard.has_fired());
  }
}

bool PostgresConnection::HasPeerEnded() const {
  pollfd state{socket_, POLLRDHUP, 0};
  return poll(&state, 1, 0) > 0;
}

absl::Status PostgresConnection::PeerEnded() {
  is_broken_ = true;
  return absl::UnavailableError("PostgreSQL: the server has ended the session");
}

absl::StatusOr<pqxx::result> PostgresConnection::Execute(const std::string& sql) {
  return RunAlone(PostgresPhase::kRunning,
                  [&](pqxx::nontransaction& alone) { return alone.exec(sql); });
}

absl::Status PostgresConnection::Transact(
    absl::FunctionRef<absl::Status(PostgresTransaction&)> body) {
  // Outlives the transaction, whose end may have to say ROLLBACK.
  Watchdog::Guard guard(*waits_, answer_limit());
  auto phase = PostgresPhase::kRunning;
  try {
    pqxx::work work(*connection_);
    PostgresTransaction transaction(work, guard);
    if (auto status = body(transaction); !status.ok()) {
      guard.Restart();
      work.abort();
      return status;
    }
    guard.Restart();
    phase = PostgresPhase::kCommitting;
    work.commit();
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return Failed(error, phase, guard.has_fired());
  }
}

absl::Status PostgresConnection::SetStatementLimit(absl::Duration limit) {
  target_.statement_timeout = limit;
  return Execute(fmt::format("SET statement_timeout = {}", absl::ToInt64Milliseconds(limit)))
      .status();
}

absl::Status PostgresConnection::Failed(const std::exception& error, PostgresPhase phase,
                                        bool has_timed_out) {
  // Only an error that the server reported leaves a session that can be used again.
  const bool is_reported = dynamic_cast<const pqxx::sql_error*>(&error) != nullptr ||
                           dynamic_cast<const pqxx::transaction_rollback*>(&error) != nullptr;
  is_broken_ = is_broken_ || !is_reported || connection_ == nullptr || !connection_->is_open();
  return has_timed_out ? TimedOut(phase) : PostgresStatus(error, phase);
}

absl::Status PostgresConnection::TimedOut(PostgresPhase phase) {
  has_timed_out_ = true;
  const auto code = phase == PostgresPhase::kCommitting ? absl::StatusCode::kUnknown
                                                        : absl::StatusCode::kUnavailable;
  return absl::Status(code, fmt::format("PostgreSQL: no answer within {}",
                                        absl::FormatDuration(target_.answer_limit())));
}

}  // namespace confab::storage
