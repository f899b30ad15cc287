// migrator.h: brings a schema to the newest of the numbered migrations that stand in this binary.
// Used by: sqlite/, postgres/, which hold their lock and transaction around it.
// Threads: pure; caller serialises.
#pragma once

#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

namespace confab::storage {

// One file of a backend's migrations/ folder. Never edited after a release.
struct Migration {
  int version = 0;  // 1, 2, 3 … without a hole.
  std::string_view name;
  std::string_view sql;
};

// How far a database's schema has come.
struct SchemaState {
  int version = 0;  // 0: empty.
  int newest = 0;   // The newest that this program knows; below `version`: it must not use it.
  std::vector<std::string_view> missing;  // Names of migrations, in order.
};

// A database that nobody else migrates meanwhile.
class SchemaTarget {
 public:
  virtual ~SchemaTarget() = default;
  // 0: empty.
  virtual absl::StatusOr<int> Version() = 0;
  // Runs it and records its version.
  virtual absl::Status Apply(const Migration& migration) = 0;
};

SchemaState StateOf(absl::Span<const Migration> migrations, int version);

// FAILED_PRECONDITION: the schema is newer than the newest migration known here.
absl::Status CheckVersion(absl::Span<const Migration> migrations, int version);

// As CheckVersion; else applies what is missing, with a line of the log before each.
absl::Status Migrate(absl::Span<const Migration> migrations, SchemaTarget& target);

}  // namespace confab::storage
