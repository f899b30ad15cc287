#include "storage/open_store.h"

#include <optional>

#include <fmt/format.h>

#include "storage/postgres/postgres_store.h"
#include "storage/sqlite/sqlite_store.h"

namespace confab::storage {
namespace {

constexpr std::string_view kSqlite = "sqlite:";
constexpr std::string_view kPostgres[] = {"postgresql://", "postgres://"};

absl::Status CheckOptions(const StoreOptions& options) {
  if (options.reader_connections < 1 || options.reader_connections > 64) {
    return absl::InvalidArgumentError("reader_connections is 1 to 64");
  }
  if (options.acquire_timeout <= absl::ZeroDuration() ||
      options.statement_timeout < absl::Milliseconds(10)) {
    return absl::InvalidArgumentError("timeouts of the store must be positive");
  }
  if (options.one_trip_limit < 0 || options.one_trip_limit > 4096) {
    return absl::InvalidArgumentError("one_trip_limit is 0 to 4,096");
  }
  return absl::OkStatus();
}

template <typename Backend>
absl::StatusOr<std::unique_ptr<Store>> Widen(absl::StatusOr<std::unique_ptr<Backend>> store) {
  if (!store.ok()) return store.status();
  return *std::move(store);
}

// The path of a file; nullopt: the URL names a PostgreSQL database.
absl::StatusOr<std::optional<std::string>> SqlitePathOf(std::string_view url) {
  if (url.starts_with(kSqlite)) {
    std::string path(url.substr(kSqlite.size()));
    if (!path.empty() && !path.starts_with(":") && !path.starts_with("file:")) return path;
    return absl::InvalidArgumentError("sqlite: needs the path of a file, e.g. sqlite:./data/c.db");
  }
  for (const std::string_view scheme : kPostgres) {
    if (url.starts_with(scheme)) return std::nullopt;
  }
  return absl::InvalidArgumentError(fmt::format(
      "store {} is neither sqlite:PATH nor postgresql://USER@HOST/DATABASE", RedactedUrl(url)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenStore(std::string_view url,
                                                 const StoreOptions& options) {
  if (auto status = CheckOptions(options); !status.ok()) return status;
  const auto path = SqlitePathOf(url);
  if (!path.ok()) return path.status();
  if (*path) return Widen(SqliteStore::Open(**path, options));
  return Widen(PostgresStore::Open(url, options));
}

absl::StatusOr<SchemaState> ReadSchema(std::string_view url, const StoreOptions& options) {
  if (auto status = CheckOptions(options); !status.ok()) return status;
  const auto path = SqlitePathOf(url);
  if (!path.ok()) return path.status();
  return *path ? SqliteStore::ReadSchema(**path) : PostgresStore::ReadSchema(url, options);
}

std::string RedactedUrl(std::string_view url) {
  std::string redacted(url);
  const size_t scheme = redacted.find("://");
  if (scheme == std::string::npos) return redacted;
  const size_t authority = scheme + 3;
  const size_t end = std::min(redacted.find_first_of("/?", authority), redacted.size());
  // A password may hold an @ of its own: the last one before the host counts.
  const size_t at = redacted.rfind('@', end);
  if (at != std::string::npos && at >= authority) {
    const size_t colon = redacted.find(':', authority);
    if (colon < at) redacted.replace(colon + 1, at - colon - 1, "***");
  }
  for (const std::string_view parameter : {"password=", "sslpassword="}) {
    for (size_t found = redacted.find(parameter, authority); found != std::string::npos;
         found = redacted.find(parameter, found + parameter.size())) {
      const size_t value = found + parameter.size();
      const size_t value_end = std::min(redacted.find('&', value), redacted.size());
      redacted.replace(value, value_end - value, "***");
    }
  }
  return redacted;
}

}  // namespace confab::storage
