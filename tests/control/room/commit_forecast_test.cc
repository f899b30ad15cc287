#include "control/room/commit_forecast.h"

#include <gtest/gtest.h>

namespace confab::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Rank = CommitForecast::Rank;
using Time = CommitForecast::Clock::time_point;

constexpr size_t kBatch = 512;

// A committer with a writer whose turns usually take 10 ms; the test's own clock.
class CommitForecastTest : public testing::Test {
 protected:
  CommitForecastTest() {
    forecast_.SeesWriter(now_);
    for (int i = 0; i < 100; ++i) Turn(milliseconds(10));
  }

  void Turn(milliseconds took) {
    forecast_.SeesTurn(now_, true);
    now_ += took;
    forecast_.SeesTurnEnd(now_);
  }
  CommitForecast::Outlook Now() const { return forecast_.At(now_); }
  double WaitMs() const { return std::chrono::duration<double, std::milli>(Now().wait).count(); }
  bool Refuses(Rank rank, milliseconds patience = milliseconds(2500)) const {
    return Now().Refuses(rank, now_, now_ + patience);
  }

  Time now_{seconds(1000)};
  CommitForecast forecast_{kBatch, CommitForecast::kAwayAfter};
};

TEST_F(CommitForecastTest, ExpectsATurnWhereNothingWaits) {
  EXPECT_NEAR(WaitMs(), 10, 1);
  EXPECT_FALSE(Now().is_tight());
  EXPECT_FALSE(Refuses(Rank::kSend, milliseconds(1)));
}

TEST_F(CommitForecastTest, ExpectsTheUsualTimeOfEachBatchThatWaits) {
  for (int i = 0; i < 100; ++i) Turn(milliseconds(200));
  forecast_.SeesTurn(now_, true);
  forecast_.SetWaiting(10 * kBatch);

  EXPECT_NEAR(WaitMs(), 200 + 11 * 200, 10);
  EXPECT_FALSE(Now().is_away);
  EXPECT_TRUE(Refuses(Rank::kSend, milliseconds(2000)));
  EXPECT_FALSE(Refuses(Rank::kSend, milliseconds(2500)));
  EXPECT_FALSE(Refuses(Rank::kChange, milliseconds(2000))) << "those who send are refused first";
  EXPECT_FALSE(Refuses(Rank::kOther, milliseconds(2000)));
  EXPECT_NEAR(Now().retry_after_ms(), 2400, 10);
}

TEST_F(CommitForecastTest, ExpectsALongTurnToLastAsLongAgain) {
  forecast_.SeesTurn(now_, true);
  now_ += milliseconds(500);

  EXPECT_NEAR(WaitMs(), 510, 5);
  EXPECT_TRUE(Refuses(Rank::kSend, milliseconds(400)));
  EXPECT_FALSE(Refuses(Rank::kSend));
}

TEST_F(CommitForecastTest, IsAwayWhenATurnDoesNotEnd) {
  forecast_.SeesTurn(now_, true);
  now_ += CommitForecast::kAwayAfter;
  EXPECT_FALSE(Now().is_away);
  now_ += milliseconds(1);

  EXPECT_TRUE(Refuses(Rank::kSend));
  EXPECT_TRUE(Refuses(Rank::kChange));
  EXPECT_FALSE(Refuses(Rank::kOther));
  EXPECT_FALSE(Now().takes_probe);

  forecast_.SeesTurnEnd(now_);
  EXPECT_FALSE(Now().is_away);
  EXPECT_FALSE(Refuses(Rank::kSend));
}

TEST_F(CommitForecastTest, IsNotAwayWhereEveryTurnIsSlow) {
  for (int i = 0; i < 100; ++i) Turn(milliseconds(500));
  forecast_.SeesTurn(now_, true);
  now_ += milliseconds(1'500);
  EXPECT_FALSE(Now().is_away);
  now_ += milliseconds(1'500);
  EXPECT_TRUE(Now().is_away);
}

TEST_F(CommitForecastTest, FailsFromTheBeginningOfTheTurnOn) {
  forecast_.SeesTurn(now_, true);
  now_ += milliseconds(700);
  forecast_.SeesNoWriter(now_);
  forecast_.SeesFailure(now_);
  EXPECT_FALSE(Now().is_away);
  now_ += milliseconds(100);
  forecast_.SeesFailure(now_);  // Once more.

  EXPECT_TRUE(Now().is_away);
  EXPECT_NEAR(WaitMs(), 1000, 15);  // 800, and until it is tried again.
  EXPECT_NEAR(Now().retry_after_ms(), 1000, 15);
}

TEST_F(CommitForecastTest, TakesOneProbeWhenThereIsAWriterAgain) {
  forecast_.SeesNoWriter(now_);
  forecast_.SeesFailure(now_);
  now_ += seconds(2);
  EXPECT_FALSE(Now().takes_probe);
  EXPECT_EQ(Now().retry_after_ms(), 2200u);

  forecast_.SeesWriter(now_);
  CommitForecast::Outlook outlook = Now();
  EXPECT_TRUE(outlook.is_away) << "a writer that opens has not written";
  EXPECT_TRUE(outlook.TakeProbe());
  EXPECT_FALSE(outlook.TakeProbe());
  EXPECT_EQ(outlook.retry_after_ms(), 100u);

  forecast_.SetWaiting(1);
  EXPECT_FALSE(Now().takes_probe);
  forecast_.SeesTurn(now_, true);
  forecast_.SetWaiting(0);
  EXPECT_FALSE(Now().takes_probe);
  EXPECT_EQ(Now().retry_after_ms(), 100u) << "the probe is about to tell";
  now_ += milliseconds(500);
  EXPECT_EQ(Now().retry_after_ms(), 2700u);

  forecast_.SeesSuccess();
  forecast_.SeesTurnEnd(now_);
  EXPECT_FALSE(Now().is_tight());
}

TEST_F(CommitForecastTest, TrustsAWriterThatHasStoodOpenForAWhile) {
  forecast_.SeesNoWriter(now_);
  forecast_.SeesFailure(now_);
  now_ += seconds(3600);
  EXPECT_TRUE(Now().is_away);
  forecast_.SeesWriter(now_);

  // Pointers keep it busy: no send can be tried.
  int refused = 0;
  const auto write_pointers = [&](int turns) {
    for (int i = 0; i < turns; ++i) {
      forecast_.SeesTurn(now_, true);
      forecast_.SetWaiting(1);
      now_ += milliseconds(5);
      if (Refuses(Rank::kSend) && !Now().takes_probe) ++refused;
      now_ += milliseconds(5);
      forecast_.SeesTurnEnd(now_);
    }
  };
  write_pointers(90);
  EXPECT_EQ(refused, 90);
  write_pointers(20);

  EXPECT_FALSE(Now().is_away);
  EXPECT_FALSE(Refuses(Rank::kSend));
  EXPECT_NEAR(WaitMs(), 10, 1);
  write_pointers(3'000);
  EXPECT_FALSE(Now().is_in_doubt);

  forecast_.SeesNoWriter(now_);
  forecast_.SeesFailure(now_);
  EXPECT_FALSE(Now().is_away) << "that begins anew";
  now_ += CommitForecast::kAwayAfter + milliseconds(1);
  EXPECT_TRUE(Now().is_away);
}

// A database whose disk is full opens sessions as ever.
TEST_F(CommitForecastTest, LetsInWhomItTellsSoonWhereNothingWasWrittenSince) {
  const auto patience = [this](Rank rank) {
    return Now().Deadline(rank, now_, now_ + seconds(2)) - now_;
  };
  forecast_.SeesNoWriter(now_);
  forecast_.SeesFailure(now_);
  now_ += milliseconds(500);
  EXPECT_EQ(patience(Rank::kSend), seconds(2)) << "a hiccup is waited for";
  now_ += seconds(1);
  forecast_.SeesWriter(now_);
  EXPECT_TRUE(Now().is_away);
  EXPECT_EQ(patience(Rank::kSend), CommitForecast::kDoubtPatience) << "the probe's";

  now_ += CommitForecast::kTrustAfter + milliseconds(1);
  EXPECT_FALSE(Refuses(Rank::kSend));
  EXPECT_TRUE(Now().is_tight()) << "or nobody would be told soon";
  EXPECT_EQ(patience(Rank::kSend), CommitForecast::kDoubtPatience);
  EXPECT_EQ(patience(Rank::kChange), CommitForecast::kDoubtPatience);
  EXPECT_EQ(patience(Rank::kOther), seconds(2));
  EXPECT_EQ(Now().Deadline(Rank::kSend, now_, now_ + milliseconds(5)), now_ + milliseconds(5));

  forecast_.SeesNoWriter(now_);  // They were tried.
  forecast_.SeesFailure(now_);
  EXPECT_TRUE(Now().is_away) << "at once: it never was back";
  EXPECT_NEAR(WaitMs(), 2700, 5);

  forecast_.SeesWriter(now_);
  forecast_.SeesSuccess();
  EXPECT_FALSE(Now().is_tight());
  EXPECT_EQ(patience(Rank::kSend), seconds(2));
}

TEST_F(CommitForecastTest, TellsNobodyToWaitForMoreThanFiveSeconds) {
  forecast_.SeesNoWriter(now_);
  forecast_.SeesFailure(now_);
  now_ += seconds(3600);

  EXPECT_EQ(Now().retry_after_ms(), 5000u);
}

TEST_F(CommitForecastTest, LearnsNothingFromTurnsThatAreNotUsual) {
  forecast_.SeesTurn(now_, false);  // A step of upkeep.
  now_ += seconds(10);
  forecast_.SeesTurnEnd(now_);
  forecast_.SeesTurn(now_, true);
  forecast_.SeesFailure(now_);
  now_ += seconds(10);
  forecast_.SeesSuccess();
  forecast_.SeesTurnEnd(now_);
  forecast_.SeesTurn(now_, true);
  forecast_.SeesNoWriter(now_);  // Of pointers, say.
  now_ += seconds(10);
  forecast_.SeesWriter(now_);
  forecast_.SeesTurnEnd(now_);

  EXPECT_NEAR(WaitMs(), 10, 1);
}

TEST_F(CommitForecastTest, IsUsedToSlowTurnsSoon) {
  for (int i = 0; i < 20; ++i) Turn(milliseconds(300));
  EXPECT_NEAR(WaitMs(), 300, 30);
}

}  // namespace
}  // namespace confab::control
