// Which notifications of an inbox wait for their ack, and how far that makes it acknowledged.
#include "edge/connection/awaited_acks.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

constexpr auto kLimit = static_cast<std::int64_t>(AwaitedAcks::kLimit);

class AwaitedAcksTest : public testing::Test {
 protected:
  void Tell(std::int64_t first, std::int64_t last) {
    for (std::int64_t seq = first; seq <= last; ++seq) {
      ASSERT_TRUE(acks_.has_room()) << seq;
      acks_.OnTold(seq);
    }
  }
  // How far it is acknowledged after that ack, which must be one that is awaited.
  std::int64_t After(std::uint64_t id) {
    EXPECT_TRUE(acks_.OnAck(id)) << id;
    return acks_.acked_seq();
  }

  AwaitedAcks acks_;
};

TEST_F(AwaitedAcksTest, AreACursorWhenTheyComeInOrder) {
  Tell(1, 3);
  EXPECT_EQ(acks_.acked_seq(), 0);

  EXPECT_EQ(After(1), 1);
  EXPECT_EQ(After(2), 2);
  EXPECT_EQ(After(3), 3);

  EXPECT_TRUE(acks_.empty());
}

TEST_F(AwaitedAcksTest, GoNoFurtherThanTheFirstThatIsMissing) {
  Tell(1, 5);

  EXPECT_EQ(After(3), 0);
  EXPECT_EQ(After(5), 0);
  EXPECT_EQ(After(2), 0);
  EXPECT_EQ(After(1), 3);
  EXPECT_EQ(After(4), 5);
}

TEST_F(AwaitedAcksTest, PassOverPlacesThatNothingStandsAt) {
  acks_.OnTold(7);
  acks_.OnTold(10);
  acks_.OnTold(20);
  EXPECT_EQ(acks_.acked_seq(), 0) << "nobody has acknowledged what lies before 7 here";

  EXPECT_EQ(After(10), 0);
  EXPECT_EQ(After(7), 19);
  EXPECT_EQ(After(20), 20);
}

TEST_F(AwaitedAcksTest, CountOnceAndOnlyWhereTheyWereAskedFor) {
  Tell(4, 6);
  EXPECT_EQ(After(5), 0);

  for (const std::uint64_t id : {0UL, 3UL, 5UL, 7UL, 1UL << 63U, ~0UL}) {
    EXPECT_FALSE(acks_.OnAck(id)) << id;
  }

  EXPECT_EQ(acks_.acked_seq(), 0);
  EXPECT_EQ(After(4), 5);
  EXPECT_FALSE(acks_.OnAck(4));
  EXPECT_EQ(After(6), 6);
  EXPECT_FALSE(acks_.OnAck(6));
}

TEST_F(AwaitedAcksTest, NothingIsAskedWhereNothingWasTold) {
  EXPECT_FALSE(acks_.OnAck(0));
  EXPECT_FALSE(acks_.OnAck(1));
}

TEST_F(AwaitedAcksTest, HaveRoomAgainWhenHalfOfThemHaveCome) {
  Tell(1, kLimit);
  EXPECT_FALSE(acks_.has_room());

  for (std::int64_t seq = 1; seq < kLimit / 2; ++seq) After(static_cast<std::uint64_t>(seq));
  EXPECT_FALSE(acks_.has_room());
  After(AwaitedAcks::kLimit / 2);
  EXPECT_TRUE(acks_.has_room());

  Tell(kLimit + 1, kLimit + kLimit / 2);
  EXPECT_FALSE(acks_.has_room());
}

TEST_F(AwaitedAcksTest, OneThatNeverComesTakesOnePlaceAlone) {
  Tell(1, 1);
  for (std::int64_t seq = 2; seq <= 3 * kLimit; ++seq) {
    Tell(seq, seq);
    EXPECT_EQ(After(static_cast<std::uint64_t>(seq)), 0);
  }

  EXPECT_EQ(After(1), 3 * kLimit);
}

TEST_F(AwaitedAcksTest, DoNotCountWhatHasNotReachedTheClient) {
  Tell(1, kLimit);
  EXPECT_EQ(After(1), 1);

  acks_.GoBack(4);

  EXPECT_TRUE(acks_.has_room());
  EXPECT_FALSE(acks_.OnAck(4));
  EXPECT_EQ(After(2), 2);
  EXPECT_EQ(After(3), 3);
  EXPECT_TRUE(acks_.empty());
  Tell(4, 5);
  EXPECT_EQ(After(5), 3);
  EXPECT_EQ(After(4), 5);
}

}  // namespace
}  // namespace confab::edge
