// sqlite_status.h: the only place where SQLite's result codes become a Status.
#pragma once

#include <string_view>

#include <absl/status/status.h>

namespace confab::storage {

// While it runs or before: nothing was changed. Committing: COMMIT itself failed.
enum class SqlitePhase { kRunning, kCommitting };

// `code` is a (possibly extended) SQLite result code other than OK, ROW and DONE.
absl::Status SqliteStatus(int code, std::string_view message,
                          SqlitePhase phase = SqlitePhase::kRunning);

}  // namespace confab::storage
