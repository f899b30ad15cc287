#include "edge/connection/token_life.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using Step = TokenLife::Step;
using std::chrono::seconds;

class TokenLifeTest : public testing::Test {
 protected:
  static constexpr absl::Time kWall = absl::FromUnixSeconds(1'800'000'000);
  static constexpr TokenLife::SteadyTime kStart{seconds(5'000)};

  // Of a token with so many seconds to live.
  void Begin(int left) { life_.Begin(kWall + absl::Seconds(left), kWall, kStart); }
  Step At(int after) { return life_.Check(limits_, kStart + seconds(after)); }
  std::int64_t NextAfter() const {
    return std::chrono::duration_cast<seconds>(life_.NextAt(limits_) - kStart).count();
  }

  TokenLimits limits_;
  TokenLife life_;
};

TEST_F(TokenLifeTest, WarnsOnceAndThenEnds) {
  Begin(3'600);

  EXPECT_EQ(NextAfter(), 3'540);
  EXPECT_EQ(At(3'539), Step::kNone);
  EXPECT_EQ(At(3'540), Step::kWarn);
  EXPECT_EQ(NextAfter(), 3'625);
  EXPECT_EQ(At(3'541), Step::kNone);
  EXPECT_EQ(At(3'624), Step::kNone);
  EXPECT_EQ(At(3'625), Step::kEnd);
}

TEST_F(TokenLifeTest, WarnsAtOnceOfOneThatIsShort) {
  Begin(30);

  EXPECT_LE(NextAfter(), 0);
  EXPECT_EQ(At(0), Step::kWarn);
  EXPECT_EQ(At(55), Step::kEnd);
}

TEST_F(TokenLifeTest, EndsWithoutAWarningWhenItIsLookedAtTooLate) {
  Begin(30);

  EXPECT_EQ(At(55), Step::kEnd);
}

TEST_F(TokenLifeTest, BeginsAnewWithAnotherToken) {
  Begin(100);
  EXPECT_EQ(At(50), Step::kWarn);

  life_.Begin(kWall + absl::Seconds(1'000), kWall + absl::Seconds(60), kStart + seconds(60));

  EXPECT_EQ(At(200), Step::kNone);
  EXPECT_EQ(At(940), Step::kWarn);
  EXPECT_EQ(At(1'025), Step::kEnd);
  EXPECT_EQ(life_.expires_at(), kWall + absl::Seconds(1'000));
}

// The wall clock is asked once: when it jumps, nothing happens.
TEST_F(TokenLifeTest, RunsOnTheSteadyClock) {
  life_.Begin(kWall + absl::Seconds(100), kWall, kStart);

  EXPECT_EQ(life_.OverAt(limits_), kStart + seconds(125));
}

TEST_F(TokenLifeTest, NeverWarnsWithoutALead) {
  limits_.lead = absl::ZeroDuration();
  Begin(100);

  EXPECT_EQ(At(99), Step::kNone);
  EXPECT_EQ(At(100), Step::kNone);
  EXPECT_EQ(NextAfter(), 125);
  EXPECT_EQ(At(125), Step::kEnd);
}

TEST_F(TokenLifeTest, HasNoEndBeforeItBegins) {
  EXPECT_EQ(life_.NextAt(limits_), TokenLife::SteadyTime::max());
  EXPECT_EQ(life_.OverAt(limits_), TokenLife::SteadyTime::max());
  EXPECT_EQ(At(1'000'000), Step::kNone);
}

TEST_F(TokenLifeTest, TakesTheFarthestTime) {
  life_.Begin(absl::InfiniteFuture(), kWall, kStart);

  EXPECT_EQ(At(1'000'000), Step::kNone);
  EXPECT_GT(NextAfter(), 300 * 24 * 3'600);
}

}  // namespace
}  // namespace confab::edge
