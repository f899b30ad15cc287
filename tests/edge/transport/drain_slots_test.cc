#include "edge/transport/drain_slots.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DrainSlots, NobodyNeedsOne) { EXPECT_THAT(DrawSlots(0, absl::Seconds(30), 1), IsEmpty()); }

TEST(DrainSlots, ASingleClientNeedNotWait) {
  EXPECT_THAT(DrawSlots(1, absl::Seconds(30), 1), ElementsAre(absl::ZeroDuration()));
}

TEST(DrainSlots, StandEvenlyWithinTheTime) {
  std::vector<absl::Duration> slots = DrawSlots(300, absl::Seconds(30), 7);

  std::sort(slots.begin(), slots.end());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    EXPECT_LE(absl::AbsDuration(slots[i] - absl::Milliseconds(100) * static_cast<double>(i)),
              absl::Milliseconds(1));
  }
}

TEST(DrainSlots, AreInRandomOrder) {
  const std::vector<absl::Duration> slots = DrawSlots(300, absl::Seconds(30), 7);

  EXPECT_FALSE(std::is_sorted(slots.begin(), slots.end()));
  EXPECT_NE(slots, DrawSlots(300, absl::Seconds(30), 8));
  EXPECT_EQ(slots, DrawSlots(300, absl::Seconds(30), 7));
}

}  // namespace
}  // namespace confab::edge
