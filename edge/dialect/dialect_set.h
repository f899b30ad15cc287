// dialect_set.h: the dialects an edge knows, each with a name and a place that stays the same.
// Owns: the dialects.   Used by: edge (loads it once), connection (chooses by name).
// Threads: immutable; any thread. References to dialects stay good when the set is moved.
// Fails: INVALID_ARGUMENT for a file that is no dialect, naming file, line and reason, or whose
// name is taken; NOT_FOUND for one that cannot be read.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "edge/dialect/data_dialect.h"
#include "edge/dialect/dialect.h"

namespace confab::edge {

class DialectSet {
 public:
  // The built-in dialects and those of `directory`; an empty path: the built-in ones alone.
  static absl::StatusOr<DialectSet> Load(const std::string& directory);

  // 0 to size() - 1, the same in every process that loads the same files.
  std::size_t size() const { return dialects_.size(); }
  const Dialect& at(std::size_t index) const { return *dialects_.at(index); }

  // The place of the dialect of that name; nullopt if there is none.
  std::optional<std::size_t> IndexOf(std::string_view name) const;
  // nullptr if there is none.
  const Dialect* Find(std::string_view name) const;

  // "acked, confab, rooms": for messages.
  std::string Names() const;

 private:
  // An edge keeps an encoder for each, on each io thread.
  static constexpr std::size_t kFilesLimit = 64;

  absl::Status Add(const std::string& file, absl::StatusOr<std::unique_ptr<DataDialect>> dialect);

  std::vector<std::unique_ptr<const Dialect>> dialects_;
};

}  // namespace confab::edge
