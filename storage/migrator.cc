#include "storage/migrator.h"

#include <cassert>
#include <string>

#include <fmt/format.h>

#include "process/log.h"

namespace confab::storage {

SchemaState StateOf(absl::Span<const Migration> migrations, int version) {
  SchemaState state;
  state.version = version;
  for (const Migration& migration : migrations) {
    state.newest = migration.version;
    if (migration.version > version) state.missing.push_back(migration.name);
  }
  return state;
}

absl::Status CheckVersion(absl::Span<const Migration> migrations, int version) {
  const int newest = migrations.empty() ? 0 : migrations.back().version;
  if (version <= newest) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("the database has schema version {}, this program knows {} at most: "
                  "run a newer confab or restore a backup",
                  version, newest));
}

absl::Status Migrate(absl::Span<const Migration> migrations, SchemaTarget& target) {
  const auto version = target.Version();
  if (!version.ok()) return version.status();
  if (auto status = CheckVersion(migrations, *version); !status.ok()) return status;
  int expected = 1;
  for (const Migration& migration : migrations) {
    assert(migration.version == expected && "a migration's number is missing");
    ++expected;
    if (migration.version <= *version) continue;
    // A large log takes minutes, and who waits wants to know for what.
    process::LogInfo("migrating the store", {{"migration", migration.name}});
    if (auto status = target.Apply(migration); !status.ok()) {
      return absl::Status(status.code(), fmt::format("migration {}: {}", migration.name,
                                                     std::string(status.message())));
    }
  }
  return absl::OkStatus();
}

}  // namespace confab::storage
