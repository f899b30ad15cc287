#include "storage/postgres/postgres_status.h"

#include <string>

#include <fmt/format.h>
#include <pqxx/pqxx>

namespace confab::storage {
namespace {

struct Rule {
  std::string_view prefix;  // Of the SQLSTATE; the first that fits counts.
  absl::StatusCode code;
};

// https://www.postgresql.org/docs/15/errcodes-appendix.html
constexpr Rule kRules[] = {
    {"08", absl::StatusCode::kUnavailable},            // connection exception
    {"22", absl::StatusCode::kInvalidArgument},        // data exception
    {"23", absl::StatusCode::kInvalidArgument},        // constraint violated
    {"25006", absl::StatusCode::kUnavailable},         // read only: a standby, or failing over
    {"25P03", absl::StatusCode::kUnavailable},         // idle in transaction for too long
    {"28", absl::StatusCode::kFailedPrecondition},     // may not log in
    {"3D000", absl::StatusCode::kFailedPrecondition},  // no such database
    {"3F000", absl::StatusCode::kFailedPrecondition},  // no such schema
    {"40", absl::StatusCode::kUnavailable},            // serialization, deadlock
    {"42501", absl::StatusCode::kFailedPrecondition},  // insufficient privilege
    {"42P01", absl::StatusCode::kFailedPrecondition},  // no such table: dropped below us
    {"53", absl::StatusCode::kResourceExhausted},      // disk full, memory, connections
    {"54", absl::StatusCode::kInvalidArgument},        // too large for the server
    {"55P03", absl::StatusCode::kUnavailable},         // lock not available
    {"57014", absl::StatusCode::kDeadlineExceeded},    // statement_timeout
    {"57", absl::StatusCode::kUnavailable},            // shutting down, starting up
    {"58", absl::StatusCode::kUnavailable},            // its disk or operating system
};

// The server ended the session, perhaps after the transaction was durable, or says itself that it
// does not know.
bool IsInDoubt(std::string_view sql_state) {
  return sql_state.starts_with("57P") || sql_state.starts_with("08") || sql_state == "40003";
}

absl::Status Make(absl::StatusCode code, std::string_view what, std::string_view sql_state = "") {
  std::string message = fmt::format("PostgreSQL: {}", what);
  while (message.ends_with('\n')) message.pop_back();
  if (!sql_state.empty()) message += fmt::format(" ({})", sql_state);
  return absl::Status(code, message);
}

}  // namespace

absl::StatusCode CodeOfSqlState(std::string_view sql_state) {
  for (const Rule& rule : kRules) {
    if (sql_state.starts_with(rule.prefix)) return rule.code;
  }
  return absl::StatusCode::kInternal;
}

absl::Status PostgresStatus(std::string_view sql_state, std::string_view message,
                            PostgresPhase phase) {
  const bool is_committing = phase == PostgresPhase::kCommitting;
  if (sql_state.empty()) {
    return Make(is_committing ? absl::StatusCode::kUnknown : absl::StatusCode::kUnavailable,
                message);
  }
  const bool is_unknown = is_committing && IsInDoubt(sql_state);
  return Make(is_unknown ? absl::StatusCode::kUnknown : CodeOfSqlState(sql_state), message,
              sql_state);
}

absl::Status PostgresStatus(const std::exception& error, PostgresPhase phase) {
  const bool is_committing = phase == PostgresPhase::kCommitting;
  const auto make = [&](absl::StatusCode code) { return Make(code, error.what()); };
  if (dynamic_cast<const pqxx::in_doubt_error*>(&error) != nullptr) {
    return make(absl::StatusCode::kUnknown);
  }
  if (dynamic_cast<const pqxx::statement_completion_unknown*>(&error) != nullptr) {
    return make(absl::StatusCode::kUnknown);
  }
  if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
      sql != nullptr && !sql->sqlstate().empty()) {
    return PostgresStatus(sql->sqlstate(), error.what(), phase);
  }
  // In 6.4 these two are no sql_error; the server has rolled back in any case.
  if (dynamic_cast<const pqxx::transaction_rollback*>(&error) != nullptr) {
    return make(absl::StatusCode::kUnavailable);
  }
  if (is_committing) return make(absl::StatusCode::kUnknown);
  if (dynamic_cast<const pqxx::failure*>(&error) != nullptr) {
    return make(absl::StatusCode::kUnavailable);
  }
  return make(absl::StatusCode::kInternal);
}

}  // namespace confab::storage
