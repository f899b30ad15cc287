// lane_set.h: the lanes of a process; an id always meets the same one.
// Owns: the lanes.   Used by: dispatcher.
// Threads: immutable once made; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "control/lane/lane.h"

namespace confab::control {

class LaneSet {
 public:
  // REQUIRES: count > 0.
  explicit LaneSet(size_t count);

  size_t size() const { return lanes_.size(); }
  size_t IndexOf(std::string_view id) const;
  Lane& at(size_t index) { return *lanes_[index]; }

 private:
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace confab::control
