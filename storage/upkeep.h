// upkeep.h: what is removed of a log little by little, beside the traffic: by retention, and by
// erasing what one user wrote.
// Threads: immutable values; any thread.
#pragma once

#include <cstdint>

#include <absl/time/time.h>

namespace confab::storage {

// What of a room's log is kept.
struct Retention {
  absl::Duration max_age = absl::ZeroDuration();  // Zero: for ever.
  int64_t max_messages = 0;                       // 0: all.
  friend bool operator==(const Retention&, const Retention&) = default;
};

// What retention removes stays as an empty row for so long, so that a retry finds its key.
inline constexpr absl::Duration kStubAge = absl::Hours(24);

struct TrimStep {
  int64_t rows = 0;     // Rows that were looked at.
  bool is_done = true;  // Nothing more is to be removed now.
};

struct EraseStep {
  int64_t messages = 0;  // Emptied by this step.
  int64_t next_seq = 0;  // The next step goes on behind it.
  bool is_done = true;
};

}  // namespace confab::storage
