#include "storage/sqlite/sqlite_schema.h"

#include <cstdlib>

#include <fmt/format.h>

#include "storage/sqlite/sqlite_connection.h"

namespace confab::storage {
namespace {

// The version stands in the file's header (PRAGMA user_version).
class SqliteSchema : public SchemaTarget {
 public:
  explicit SqliteSchema(SqliteConnection& connection) : connection_(connection) {}
  absl::StatusOr<int> Version() override {
    const auto version = connection_.ReadOne("PRAGMA user_version");
    if (!version.ok()) return version.status();
    return std::atoi(version->c_str());
  }
  absl::Status Apply(const Migration& migration) override {
    auto status = connection_.Execute(migration.sql);
    if (!status.ok()) return status;
    return connection_.Execute(fmt::format("PRAGMA user_version = {}", migration.version));
  }

 private:
  SqliteConnection& connection_;
};

}  // namespace

absl::StatusOr<int> ReadSqliteVersion(const std::string& path) {
  auto connection = SqliteConnection::Open(path, true);
  if (!connection.ok()) return connection.status();
  return SqliteSchema(**connection).Version();
}

absl::Status CheckSqliteVersion(const std::string& path) {
  const auto version = ReadSqliteVersion(path);
  return version.ok() ? CheckVersion(SqliteMigrations(), *version) : version.status();
}

absl::Status MigrateSqlite(const std::string& path, absl::Span<const Migration> migrations) {
  auto connection = SqliteConnection::Open(path, false);
  if (!connection.ok()) return connection.status();
  SqliteTransaction transaction(**connection);
  if (auto status = transaction.Begin("BEGIN EXCLUSIVE"); !status.ok()) return status;
  SqliteSchema schema(**connection);
  if (auto status = Migrate(migrations, schema); !status.ok()) return status;
  return transaction.Commit();
}

}  // namespace confab::storage
