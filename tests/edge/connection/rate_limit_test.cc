#include "edge/connection/rate_limit.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr SteadyTime kStart = SteadyTime(std::chrono::hours(1));
constexpr RateLimit kTenASecond{10, 3};

TEST(RateLimit, ReadsRateAndBurst) {
  const auto limit = RateLimit::Parse("10/30");

  ASSERT_TRUE(limit.ok());
  EXPECT_EQ(limit->per_period, 10u);
  EXPECT_EQ(limit->burst, 30u);
  EXPECT_FALSE(limit->is_off());
}

TEST(RateLimit, CanBeOff) {
  const auto limit = RateLimit::Parse("off");

  ASSERT_TRUE(limit.ok());
  EXPECT_TRUE(limit->is_off());
}

TEST(RateLimit, RefusesWhatIsNoLimit) {
  for (const std::string_view text : {"", "10", "10/", "/30", "0/30", "10/0", "-1/5", "10/30/5",
                                      "10 / 30", "1.5/3", "OFF", "1000001/1", "1/1000001"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(RateLimit::Parse(text).status())) << text;
  }
}

TEST(RateBucket, LetsABurstThroughAndNoMore) {
  RateBucket bucket;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.Take(kTenASecond, kStart), 0u) << i;

  EXPECT_EQ(bucket.Take(kTenASecond, kStart), 100u);
}

TEST(RateBucket, TellsWhenTheNextTokenComes) {
  RateBucket bucket;
  for (int i = 0; i < 3; ++i) ASSERT_EQ(bucket.Take(kTenASecond, kStart), 0u);

  EXPECT_EQ(bucket.Take(kTenASecond, kStart + milliseconds(40)), 60u);
  EXPECT_EQ(bucket.Take(kTenASecond, kStart + milliseconds(99)), 1u);
  EXPECT_EQ(bucket.Take(kTenASecond, kStart + milliseconds(100)), 0u);
  EXPECT_EQ(bucket.Take(kTenASecond, kStart + milliseconds(100)), 100u);
}

TEST(RateBucket, TellsAtLeastOneMillisecondWhenItRefuses) {
  RateBucket bucket;
  for (int i = 0; i < 3; ++i) ASSERT_EQ(bucket.Take(kTenASecond, kStart), 0u);

  EXPECT_EQ(bucket.Take(kTenASecond, kStart + std::chrono::microseconds(99'999)), 1u);
}

TEST(RateBucket, IsNotPunishedForAsking) {
  RateBucket bucket;
  for (int i = 0; i < 1'000; ++i) static_cast<void>(bucket.Take(kTenASecond, kStart));

  EXPECT_EQ(bucket.Take(kTenASecond, kStart + milliseconds(100)), 0u);
}

TEST(RateBucket, HoldsTheRateOverTime) {
  RateBucket bucket;
  int taken = 0;
  for (int ms = 0; ms < 60'000; ++ms) {
    if (bucket.Take(kTenASecond, kStart + milliseconds(ms)) == 0) ++taken;
  }

  EXPECT_EQ(taken, 600 + 2) << "the burst lies two above the rate";
}

TEST(RateBucket, SavesNoMoreThanTheBurst) {
  RateBucket bucket;
  ASSERT_EQ(bucket.Take(kTenASecond, kStart), 0u);
  const SteadyTime much_later = kStart + std::chrono::hours(24);

  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.Take(kTenASecond, much_later), 0u);
  EXPECT_NE(bucket.Take(kTenASecond, much_later), 0u);
}

TEST(RateBucket, LimitsNothingWhenOff) {
  RateBucket bucket;
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(bucket.Take(RateLimit(), kStart), 0u);
}

}  // namespace
}  // namespace confab::edge
