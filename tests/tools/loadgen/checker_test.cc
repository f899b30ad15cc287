// Every fault that a server could have is planted once.
#include "tools/loadgen/checker.h"

#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

// Two rooms of three; the first of each sends. Every room's log begins with event 1, the making.
class CheckerTest : public testing::Test {
 protected:
  CheckerTest()
      : checker_(Plan{.rooms = 2, .members_per_room = 3, .senders_per_room = 1, .window = 4}) {
    for (uint32_t member = 0; member < 6; ++member) checker_.OnJoined(member, 1);
  }

  // Stored as `seq`, and told to all of its room.
  void Pass(uint32_t sender, uint64_t number, int64_t seq) {
    checker_.OnAcked(sender, number, seq);
    for (uint32_t i = 0; i < 3; ++i) checker_.OnDelivered(sender * 3 + i, seq, {sender, number});
  }

  Checker checker_;
};

TEST_F(CheckerTest, FindsNothingWhereEverythingComes) {
  for (uint64_t i = 0; i < 5'000; ++i) {
    ASSERT_EQ(checker_.OnSent(0, 7), i);
    checker_.OnSent(1, 8);
    Pass(0, i, 2 + static_cast<int64_t>(i));
    Pass(1, i, 2 + static_cast<int64_t>(i));
  }

  EXPECT_EQ(checker_.open(), 0U);
  EXPECT_EQ(checker_.Finish().sum(), 0U);
}

TEST_F(CheckerTest, CompletesAMessageWithItsLastStep) {
  const uint64_t number = checker_.OnSent(0, 77);

  const Checker::Step acked = checker_.OnAcked(0, number, 2);
  const Checker::Step first = checker_.OnDelivered(0, 2, {0, number});
  const Checker::Step second = checker_.OnDelivered(1, 2, {0, number});
  EXPECT_EQ(checker_.open_of(0), 1U);
  const Checker::Step last = checker_.OnDelivered(2, 2, {0, number});

  EXPECT_TRUE(acked.counts && first.counts && second.counts && last.counts);
  EXPECT_FALSE(acked.completes || first.completes || second.completes);
  EXPECT_TRUE(last.completes);
  EXPECT_EQ(last.sent_at, 77);
  EXPECT_EQ(checker_.open_of(0), 0U);
}

TEST_F(CheckerTest, TakesDeliveriesBeforeTheAcknowledgement) {
  const uint64_t number = checker_.OnSent(0, 0);

  for (uint32_t member = 0; member < 3; ++member) checker_.OnDelivered(member, 2, {0, number});

  EXPECT_TRUE(checker_.OnAcked(0, number, 2).completes);
  EXPECT_EQ(checker_.Finish().sum(), 0U);
}

TEST_F(CheckerTest, FindsALostDelivery) {
  const uint64_t number = checker_.OnSent(0, 0);
  checker_.OnAcked(0, number, 2);
  checker_.OnDelivered(0, 2, {0, number});
  checker_.OnDelivered(1, 2, {0, number});

  EXPECT_EQ(checker_.open(), 1U);
  EXPECT_EQ(checker_.Finish().lost, 1U);
  EXPECT_EQ(checker_.Finish().sum(), 1U);
}

TEST_F(CheckerTest, FindsAGapInFrontOfWhatCame) {
  checker_.OnSent(0, 0);
  checker_.OnSent(0, 0);
  checker_.OnAcked(0, 0, 2);
  checker_.OnAcked(0, 1, 3);
  for (uint32_t member = 0; member < 3; ++member) {
    if (member != 1) checker_.OnDelivered(member, 2, {0, 0});
    checker_.OnDelivered(member, 3, {0, 1});
  }

  EXPECT_EQ(checker_.Finish().missing, 1U);
  EXPECT_EQ(checker_.Finish().lost, 1U);
}

TEST_F(CheckerTest, FindsAGapOfWhatIsNoMessage) {
  checker_.OnOtherEvent(4, 2);
  EXPECT_EQ(checker_.Finish().sum(), 0U);

  checker_.OnOtherEvent(4, 4);

  EXPECT_EQ(checker_.Finish().missing, 1U);
}

TEST_F(CheckerTest, FindsADeliveryThatCameTwice) {
  checker_.OnSent(0, 0);
  Pass(0, 0, 2);

  const Checker::Step again = checker_.OnDelivered(1, 2, {0, 0});

  EXPECT_FALSE(again.counts);
  EXPECT_EQ(checker_.Finish().doubled, 1U);
  EXPECT_EQ(checker_.Finish().sum(), 1U);
}

TEST_F(CheckerTest, FindsAMessageThatStandsInTheLogTwice) {
  checker_.OnSent(0, 0);
  Pass(0, 0, 2);

  for (uint32_t member = 0; member < 3; ++member) checker_.OnDelivered(member, 3, {0, 0});

  EXPECT_EQ(checker_.Finish().doubled, 3U);
}

TEST_F(CheckerTest, FindsAMessageThatStandsInTheLogTwiceWhileOthersAreOpen) {
  checker_.OnSent(0, 0);
  checker_.OnAcked(0, 0, 2);
  checker_.OnDelivered(0, 2, {0, 0});

  checker_.OnDelivered(0, 3, {0, 0});

  EXPECT_EQ(checker_.Finish().doubled, 1U);
}

TEST_F(CheckerTest, FindsWhatCameBehindALaterOne) {
  checker_.OnSent(0, 0);
  checker_.OnSent(0, 0);
  checker_.OnAcked(0, 0, 2);
  checker_.OnAcked(0, 1, 3);
  for (uint32_t member = 0; member < 3; ++member) {
    const bool is_turned = member == 2;
    checker_.OnDelivered(member, is_turned ? 3 : 2, {0, is_turned ? 1U : 0U});
    checker_.OnDelivered(member, is_turned ? 2 : 3, {0, is_turned ? 0U : 1U});
  }

  const Faults faults = checker_.Finish();
  EXPECT_EQ(faults.disordered, 1U);
  EXPECT_EQ(faults.sum(), 1U) << "nothing is lost or missing";
}

TEST_F(CheckerTest, FindsMessagesOfASenderThatWereStoredInAnotherOrder) {
  checker_.OnSent(0, 0);
  checker_.OnSent(0, 0);

  Pass(0, 1, 2);
  Pass(0, 0, 3);

  EXPECT_EQ(checker_.Finish().disordered, 1U);
}

TEST_F(CheckerTest, FindsContentThatNobodySent) {
  checker_.OnSent(0, 0);

  checker_.OnCorrupt(1, 2);
  checker_.OnDelivered(1, 3, {0, 99});
  checker_.OnDelivered(1, 4, {7, 0});

  EXPECT_EQ(checker_.Finish().corrupt, 3U);
  EXPECT_EQ(checker_.Finish().missing, 0U) << "it had its place in the log";
}

TEST_F(CheckerTest, FindsWhatBelongsToAnotherRoom) {
  checker_.OnSent(0, 0);

  checker_.OnDelivered(4, 2, {0, 0});

  EXPECT_EQ(checker_.Finish().strayed, 1U);
}

TEST_F(CheckerTest, FindsAnAcknowledgementWithAnotherSeq) {
  checker_.OnSent(0, 0);
  checker_.OnAcked(0, 0, 9);
  for (uint32_t member = 0; member < 3; ++member) checker_.OnDelivered(member, 2, {0, 0});

  EXPECT_EQ(checker_.Finish().misnumbered, 1U);
  EXPECT_EQ(checker_.Finish().sum(), 1U);
}

TEST_F(CheckerTest, FindsWhatWasNeverAnswered) {
  checker_.OnSent(0, 0);
  checker_.OnSent(0, 0);
  checker_.OnDelivered(0, 2, {0, 0});

  const Faults faults = checker_.Finish();
  EXPECT_EQ(faults.unanswered, 2U);
  EXPECT_EQ(faults.lost, 2U) << "of the one that somebody has";
}

TEST_F(CheckerTest, ExpectsNothingOfWhatWasRefusedAndTakesIt) {
  checker_.OnSent(0, 0);
  checker_.OnSent(0, 0);

  EXPECT_TRUE(checker_.OnRefused(0, 0).completes);
  EXPECT_EQ(checker_.open_of(0), 1U);
  checker_.OnDelivered(1, 2, {0, 0});  // It was stored after all.
  checker_.OnDelivered(0, 2, {0, 0});
  checker_.OnDelivered(2, 2, {0, 0});
  Pass(0, 1, 3);

  EXPECT_EQ(checker_.open(), 0U);
  EXPECT_EQ(checker_.Finish().sum(), 0U);
}

TEST_F(CheckerTest, ExpectsNothingOfWhoHasLeft) {
  checker_.OnSent(0, 0);
  checker_.OnAcked(0, 0, 2);
  checker_.OnDelivered(0, 2, {0, 0});
  checker_.OnDelivered(1, 2, {0, 0});

  checker_.OnLeft(2);
  EXPECT_EQ(checker_.open(), 0U);
  checker_.OnSent(0, 0);
  checker_.OnAcked(0, 1, 3);
  checker_.OnDelivered(0, 3, {0, 1});

  EXPECT_TRUE(checker_.OnDelivered(1, 3, {0, 1}).completes);
  EXPECT_EQ(checker_.Finish().sum(), 0U);
}

TEST_F(CheckerTest, ExpectsNoAnswerForASenderWhoHasLeft) {
  checker_.OnSent(0, 0);

  checker_.OnLeft(0);

  EXPECT_EQ(checker_.open(), 0U);
  EXPECT_EQ(checker_.Finish().sum(), 0U);
}

TEST_F(CheckerTest, StaysSmallBehindAMessageThatIsStuck) {
  checker_.OnSent(0, 0);
  checker_.OnRefused(0, 0);
  for (uint64_t i = 1; i < 10'000; ++i) {
    checker_.OnSent(0, 0);
    Pass(0, i, 1 + static_cast<int64_t>(i));
  }

  EXPECT_EQ(checker_.open(), 0U);
  EXPECT_EQ(checker_.Finish().sum(), 0U);
}

TEST_F(CheckerTest, CountsAJumpThatIsTooWideToRemember) {
  checker_.OnOtherEvent(3, 1'000'002);

  EXPECT_EQ(checker_.Finish().missing, 1'000'000U);
}

}  // namespace
}  // namespace confab::loadgen
