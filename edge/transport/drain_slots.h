// drain_slots.h: when each client of an emptied edge goes.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <absl/time/time.h>

namespace confab::edge {

// `count` delays from now, spread evenly over `time`, in random order: the first is 0, all are below
// `time`.
std::vector<absl::Duration> DrawSlots(std::size_t count, absl::Duration time, std::uint64_t seed);

}  // namespace confab::edge
