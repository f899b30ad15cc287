// room_state.h: what a row of the table rooms stands for, and how deleted rooms are emptied.
#pragma once

#include <cstdint>

#include <absl/time/time.h>

namespace confab::storage {

// The numbers are stored; they are never reused. A deleted room keeps its row, so that it goes on
// with its next seq if it is created again.
enum class RoomState : int8_t { kThere = 0, kDeleted = 1, kPurged = 2 };

// Rows removed by one statement: some 20 ms, so that no commit waits long behind it.
inline constexpr int64_t kPurgeRows = 2000;
// What DeleteRoom and OpenWriter spend on it. The rest goes at the next of these calls.
inline constexpr absl::Duration kPurgeLimit = absl::Milliseconds(300);

}  // namespace confab::storage
