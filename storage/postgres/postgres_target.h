// postgres_target.h: where the database is and how long it may take.
// Threads: immutable; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "storage/open_store.h"

namespace confab::storage {

struct PostgresTarget {
  std::string conninfo;
  absl::Duration statement_timeout;
  bool allow_unsafe_durability = false;
  size_t one_trip_limit = 0;

  // How long we wait for an answer: the server's own limit comes first, with time for its answer.
  absl::Duration answer_limit() const { return statement_timeout + absl::Milliseconds(250); }
};

// INVALID_ARGUMENT if libpq cannot read the URL. Limits that the URL does not set itself are added:
// connecting, keep-alives, unacknowledged data.
absl::StatusOr<PostgresTarget> PostgresTargetOf(std::string_view url, const StoreOptions& options);

}  // namespace confab::storage
