// ready_file.h: tells scripts that the process serves, and where.
// Threads: any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>

namespace confab::process {

// Writes {"pid":…, key: value, …} to `path`, whole or not at all (temporary file, then rename).
// Keys used: listen, control, ops. An empty path does nothing.
absl::Status WriteReadyFile(const std::string& path,
                            const std::vector<std::pair<std::string, std::string>>& fields);

// Takes an old file away: before start, so that nobody trusts a dead process's, and at the end.
void RemoveReadyFile(const std::string& path);

}  // namespace confab::process
