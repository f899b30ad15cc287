// dialect_loader.h: the text of a dialect file -> the dialect. docs/dialects.md is the format.
// Owns: nothing.   Used by: dialect_set, tools/confab (dialect check).
// Threads: pure functions.
// Fails: INVALID_ARGUMENT with a line "FILE:LINE: reason" for each fault.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "edge/dialect/data_dialect.h"

namespace confab::edge {

// Ten times the largest built-in one.
inline constexpr size_t kDialectFileBytesLimit = 64 * 1024;

// Names of events a dialect reads; a family has a dozen.
inline constexpr size_t kInboundEventsLimit = 64;

// `file` names the text in faults.
absl::StatusOr<std::unique_ptr<DataDialect>> ParseDialect(std::string_view file,
                                                          std::string_view text);

// NOT_FOUND: it cannot be read.
absl::StatusOr<std::unique_ptr<DataDialect>> LoadDialectFile(const std::string& path);

}  // namespace confab::edge
