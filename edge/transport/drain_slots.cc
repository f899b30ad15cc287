#include "edge/transport/drain_slots.h"

#include <algorithm>
#include <random>

namespace confab::edge {

std::vector<absl::Duration> DrawSlots(std::size_t count, absl::Duration time, std::uint64_t seed) {
  std::vector<absl::Duration> slots;
  slots.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    slots.push_back(time * (static_cast<double>(i) / static_cast<double>(count)));
  }
  std::mt19937_64 random(seed);
  std::shuffle(slots.begin(), slots.end(), random);
  return slots;
}

}  // namespace confab::edge
