#include "tools/loadgen/histogram.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

TEST(Histogram, OfNothingIsZero) {
  const Histogram histogram;

  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.Percentile(99), 0);
  EXPECT_EQ(histogram.Mean(), 0);
  EXPECT_TRUE(histogram.Steps().empty());
}

TEST(Histogram, TellsSmallValuesExactly) {
  Histogram histogram;
  for (int64_t value = 1; value <= 100; ++value) histogram.Add(value);

  EXPECT_EQ(histogram.Percentile(50), 50);
  EXPECT_EQ(histogram.Percentile(99), 99);
  EXPECT_EQ(histogram.Percentile(100), 100);
  EXPECT_EQ(histogram.min(), 1);
  EXPECT_EQ(histogram.max(), 100);
  EXPECT_DOUBLE_EQ(histogram.Mean(), 50.5);
}

TEST(Histogram, KeepsItsErrorOverAllMagnitudes) {
  std::vector<int64_t> values;
  for (double value = 1; value < 1e12; value *= 1.013)
    values.push_back(static_cast<int64_t>(value));
  Histogram histogram;
  for (const int64_t value : values) histogram.Add(value);

  for (const double percent : {1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank =
        static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(values.size()) - 1e-9));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto told = static_cast<double>(histogram.Percentile(percent));
    EXPECT_NEAR(told, exact, exact * Histogram::kRelativeError + 0.5) << percent;
  }
}

TEST(Histogram, TakesWhatIsOutOfRangeToItsEnds) {
  Histogram histogram;

  histogram.Add(-5);
  histogram.Add(Histogram::kValueLimit * 4);

  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), Histogram::kValueLimit);
  EXPECT_EQ(histogram.Percentile(100), Histogram::kValueLimit);
}

TEST(Histogram, StepsHoldAllOfItInOrder) {
  Histogram histogram;
  for (const int64_t value : {5, 5, 1000, 70'000, 70'001, 9'000'000}) histogram.Add(value);

  const std::vector<Histogram::Step> steps = histogram.Steps();

  uint64_t count = 0;
  for (const Histogram::Step& step : steps) count += step.count;
  EXPECT_EQ(count, histogram.count());
  EXPECT_TRUE(std::is_sorted(steps.begin(), steps.end(),
                             [](const auto& a, const auto& b) { return a.to <= b.from; }));
  EXPECT_EQ(steps.front().from, 5);
  EXPECT_EQ(steps.front().count, 2U);
}

TEST(Histogram, ForgetsWhatIsCleared) {
  Histogram histogram;
  histogram.Add(1'000'000);

  histogram.Clear();
  histogram.Add(10);

  EXPECT_EQ(histogram.count(), 1U);
  EXPECT_EQ(histogram.Percentile(100), 10);
  EXPECT_EQ(histogram.max(), 10);
}

}  // namespace
}  // namespace confab::loadgen
