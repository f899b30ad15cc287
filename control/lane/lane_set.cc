#include "control/lane/lane_set.h"

#include <functional>

namespace confab::control {

LaneSet::LaneSet(size_t count) {
  for (size_t i = 0; i < count; ++i) lanes_.push_back(std::make_unique<Lane>());
}

size_t LaneSet::IndexOf(std::string_view id) const {
  if (lanes_.size() == 1) return 0;
  // The upper half: the lower bits go into the hash tables of the lane.
  return (std::hash<std::string_view>{}(id) >> 32) % lanes_.size();
}

}  // namespace confab::control
