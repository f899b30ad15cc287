#include "process/stopwatch.h"

#include <gtest/gtest.h>

namespace confab::process {
namespace {

TEST(Stopwatch, RunsFromWhenItWasMade) {
  const Stopwatch older;
  absl::Duration last = absl::ZeroDuration();
  while (last < absl::Milliseconds(2)) {
    const absl::Duration now = older.elapsed();
    ASSERT_GE(now, last);
    last = now;
  }
  const Stopwatch newer;

  const absl::Duration since_newer = newer.elapsed();

  EXPECT_GE(older.elapsed() - since_newer, absl::Milliseconds(2));
}

}  // namespace
}  // namespace confab::process
