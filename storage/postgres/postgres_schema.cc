#include "storage/postgres/postgres_schema.h"

#include <string>

#include <fmt/format.h>

namespace confab::storage {
namespace {

// The SQL of this backend keeps to what 13 has.
constexpr int kOldestServer = 130000;
// A migration reads and may rewrite whole tables, for which the settings of ordinary sessions are
// wrong. It ends when it is done; a server that is gone shows by the keep-alives. The limit is but
// the longest that anybody would wait.
constexpr absl::Duration kMigrationLimit = absl::Hours(24);
constexpr const char* kWholeTables =
    "SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = "
    "on";

constexpr const char* kLock =
    "SELECT pg_advisory_xact_lock(hashtextextended('confab/migrate/' || current_schema(), 0))";
// In the schema that tables would be made in, not in one further down the search_path.
constexpr const char* kFindVersionTable =
    "SELECT to_regclass(quote_ident(current_schema()) || '.confab_migrations')";
constexpr const char* kReadVersion = "SELECT coalesce(max(version), 0) FROM confab_migrations";
constexpr const char* kVersionTable =
    "CREATE TABLE confab_migrations ("
    " version integer NOT NULL PRIMARY KEY, name text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT now())";

class PostgresSchema : public SchemaTarget {
 public:
  explicit PostgresSchema(PostgresTransaction& transaction) : transaction_(transaction) {}
  absl::StatusOr<int> Version() override {
    return transaction_.RunText(kReadVersion)[0][0].as<int>();
  }
  absl::Status Apply(const Migration& migration) override {
    transaction_.RunText(std::string(migration.sql));
    transaction_.RunText(
        fmt::format("INSERT INTO confab_migrations (version, name) "
                    "VALUES ({}, '{}')",
                    migration.version, migration.name));
    return absl::OkStatus();
  }

 private:
  PostgresTransaction& transaction_;
};

}  // namespace

absl::Status MigratePostgres(PostgresConnection& connection,
                             absl::Span<const Migration> migrations) {
  const absl::Duration limit = connection.statement_limit();
  if (auto status = connection.SetStatementLimit(kMigrationLimit); !status.ok()) return status;
  auto status = connection.Transact([&](PostgresTransaction& transaction) {
    transaction.RunText(kLock);
    transaction.RunText(kWholeTables);
    // Only if it is missing: a role without CREATE may use a schema that was made for it.
    if (transaction.RunText(kFindVersionTable)[0][0].is_null()) {
      transaction.RunText(kVersionTable);
    }
    PostgresSchema schema(transaction);
    return Migrate(migrations, schema);
  });
  if (!status.ok()) return status;
  return connection.SetStatementLimit(limit);
}

absl::StatusOr<int> ReadPostgresVersion(PostgresConnection& connection) {
  const auto table = connection.Execute(kFindVersionTable);
  if (!table.ok()) return table.status();
  if ((*table)[0][0].is_null()) return 0;
  const auto version = connection.Execute(kReadVersion);
  if (!version.ok()) return version.status();
  return (*version)[0][0].as<int>();
}

absl::Status CheckPostgresVersion(PostgresConnection& connection) {
  const auto version = ReadPostgresVersion(connection);
  return version.ok() ? CheckVersion(PostgresMigrations(), *version) : version.status();
}

absl::Status CheckServer(PostgresConnection& connection, bool allow_unsafe_durability) {
  if (connection.server_version() < kOldestServer) {
    return absl::FailedPreconditionError(fmt::format("PostgreSQL {} is too old; 13 is the oldest",
                                                     connection.server_version() / 10000));
  }
  const auto rows = connection.Execute(
      "SELECT current_setting('server_encoding'), current_schema(), current_setting('fsync'),"
      " current_setting('full_page_writes'), current_setting('synchronous_commit')");
  if (!rows.ok()) return rows.status();
  const pqxx::row row = (*rows)[0];
  if (row[0].as<std::string>() != "UTF8") {
    return absl::FailedPreconditionError("the database's encoding is " + row[0].as<std::string>() +
                                         "; make it with ENCODING 'UTF8'");
  }
  if (row[1].is_null()) {
    return absl::FailedPreconditionError("no schema of the search_path exists");
  }
  if (allow_unsafe_durability) return absl::OkStatus();
  constexpr const char* kDurable[] = {"fsync", "full_page_writes", "synchronous_commit"};
  for (int i = 0; i < 3; ++i) {
    if (row[2 + i].as<std::string>() != "off") continue;
    return absl::FailedPreconditionError(
        fmt::format("PostgreSQL has {} = off, so an acknowledged message can be lost; switch it on "
                    "(or allow unsafe durability for a test)",
                    kDurable[i]));
  }
  return absl::OkStatus();
}

}  // namespace confab::storage
