// postgres_status.h: the only place where libpqxx's exceptions and SQLSTATEs become a Status.
#pragma once

#include <exception>
#include <string_view>

#include <absl/status/status.h>

namespace confab::storage {

// While it runs or before: nothing was changed. Committing: COMMIT was sent.
enum class PostgresPhase { kRunning, kCommitting };

absl::StatusCode CodeOfSqlState(std::string_view sql_state);

// UNKNOWN if it came while committing and does not say that the server refused to commit.
absl::Status PostgresStatus(const std::exception& error, PostgresPhase phase);
// The same of what libpq has; without a SQLSTATE the server has said nothing: the session is gone.
absl::Status PostgresStatus(std::string_view sql_state, std::string_view message,
                            PostgresPhase phase);

}  // namespace confab::storage
