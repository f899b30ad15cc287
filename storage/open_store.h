// open_store.h: from a URL to a store that is checked.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "storage/migrator.h"
#include "storage/store.h"

namespace confab::storage {

struct StoreOptions {
  int reader_connections = 8;                                // 1 to 64.
  absl::Duration acquire_timeout = absl::Milliseconds(500);  // Waiting for a connection.
  absl::Duration statement_timeout = absl::Milliseconds(1500);
  // Accept a database whose settings can lose a committed transaction (fsync=off,
  // synchronous_commit=off, full_page_writes=off). Refused by default, with the setting named.
  bool allow_unsafe_durability = false;
  // PostgreSQL: a batch of at most so many messages is committed in one round trip, a larger one
  // in two, with statements that take less time for each message then. 0 to 4,096.
  int one_trip_limit = 8;
};

// `url`: "sqlite:PATH" (directories of PATH must exist) or "postgresql://…" / "postgres://…".
// Opens the database, checks that its schema is not too new, and its durability settings. An older
// schema is left as it is until this process becomes active: another one may be at work with it.
// INVALID_ARGUMENT: the URL is malformed, with what is allowed. UNAVAILABLE: not reachable now,
// try again. FAILED_PRECONDITION: reachable, but must not be used as it is; says why.
absl::StatusOr<std::unique_ptr<Store>> OpenStore(std::string_view url, const StoreOptions& options);

// How far the store's schema has come; changes nothing, and may be asked while a control is at work.
// Errors as OpenStore; NOT_FOUND: there is no such file.
absl::StatusOr<SchemaState> ReadSchema(std::string_view url, const StoreOptions& options);

// The URL without its password, for logs.
std::string RedactedUrl(std::string_view url);

}  // namespace confab::storage
