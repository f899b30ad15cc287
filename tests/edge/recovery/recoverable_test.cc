#include "edge/recovery/recoverable.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

class RecoverableTest : public testing::Test {
 protected:
  // A page's event for this connection alone, as it stands then.
  std::uint64_t Replay() {
    Recoverable::Alone alone(&own_);
    const std::uint64_t number = stamp_.number();
    alone.OnReplayed();
    return number;
  }
  bool Accepts(std::uint64_t number) const { return own_.offsets(false).Has(number); }

  const std::string beginning_ = "e.1.";
  OffsetStamp stamp_{beginning_};
  Recoverable own_{stamp_, "confab", "/", {}};
};

TEST_F(RecoverableTest, AcceptsAnyOffsetWhileAllWasLive) {
  stamp_.Set(NumberOf(7));

  EXPECT_TRUE(Accepts(0));
  EXPECT_TRUE(Accepts(NumberOf(7)));
  EXPECT_FALSE(own_.offsets(true).Has(NumberOf(7)));
}

TEST_F(RecoverableTest, AcceptsNothingThatCameBesideAReplay) {
  stamp_.Set(NumberOf(7));
  const std::uint64_t first = Replay();
  stamp_.Set(NumberOf(9));
  const std::uint64_t last = Replay();
  EXPECT_EQ(stamp_.number(), NumberOf(9));
  own_.OnReplayDone(true);

  EXPECT_FALSE(Accepts(NumberOf(8)));
  EXPECT_FALSE(Accepts(NumberOf(9)));
  EXPECT_FALSE(Accepts(first));
  EXPECT_TRUE(Accepts(last));
  EXPECT_TRUE(Accepts(NumberOf(10)));
}

TEST_F(RecoverableTest, NeverRepeatsTheNumberThatItsClientCameWith) {
  stamp_.Set(NumberOf(7));
  own_.BeginBehind(NumberOf(7, 1));
  const std::uint64_t missed = Replay();
  own_.OnReplayDone(true);

  EXPECT_GT(missed, NumberOf(7, 1));
  EXPECT_FALSE(Accepts(NumberOf(7, 1))) << "with that it comes if it got nothing of this";
  EXPECT_TRUE(Accepts(missed));
}

TEST_F(RecoverableTest, WantsProofBehindTheOffsetThatItsClientCameWith) {
  stamp_.Set(NumberOf(7));
  own_.BeginBehind(NumberOf(9));

  own_.Invalidate();

  EXPECT_FALSE(Accepts(NumberOf(9)));
  EXPECT_TRUE(Accepts(NumberOf(10)));
}

TEST_F(RecoverableTest, IsNotNarrowedByAReplayOfNothing) {
  stamp_.Set(NumberOf(7));

  own_.OnReplayDone(true);

  EXPECT_TRUE(Accepts(NumberOf(3)));
}

TEST_F(RecoverableTest, WantsProofOfWhatTheClientIsToKnow) {
  stamp_.Set(NumberOf(7));
  const std::uint64_t last = Replay();
  own_.OnReplayDone(true);

  own_.Invalidate();

  EXPECT_FALSE(Accepts(last));
  EXPECT_FALSE(Accepts(NumberOf(7)));
  EXPECT_TRUE(Accepts(NumberOf(8)));
}

TEST_F(RecoverableTest, TakesTheBroadcastOfARemovalForTheProofOfIt) {
  stamp_.Set(NumberOf(7));

  own_.InvalidateBefore();

  EXPECT_FALSE(Accepts(NumberOf(6)));
  EXPECT_TRUE(Accepts(NumberOf(7)));
}

TEST_F(RecoverableTest, TakesNoOffsetThatItsClientCameWithForThat) {
  own_.BeginBehind(NumberOf(9, 2));
  stamp_.Set(NumberOf(8));

  own_.InvalidateBefore();

  EXPECT_FALSE(Accepts(NumberOf(9, 2)));
  EXPECT_TRUE(Accepts(NumberOf(10)));
}

TEST_F(RecoverableTest, RefusesTheOldNumberOfWhatWentOutLate) {
  stamp_.Set(NumberOf(7));
  own_.OnSentLate(NumberOf(7));
  EXPECT_TRUE(Accepts(NumberOf(6)));

  stamp_.Set(NumberOf(9));
  own_.OnSentLate(NumberOf(7));

  EXPECT_FALSE(Accepts(NumberOf(7)));
  EXPECT_TRUE(Accepts(NumberOf(9)));
}

TEST_F(RecoverableTest, SpendsNoNumberOnWhatWasNotSent) {
  stamp_.Set(NumberOf(7));
  const std::uint64_t first = Replay();
  { const Recoverable::Alone alone(&own_); }

  EXPECT_EQ(Replay(), first + 1);
}

TEST_F(RecoverableTest, HoldsLastWordsForProofOfAllBeforeThem) {
  stamp_.Set(NumberOf(7));
  const std::uint64_t last = Replay();
  own_.OnReplayDone(true);
  Recoverable::Alone alone(&own_);
  const std::uint64_t words = alone.OnSent();

  EXPECT_TRUE(Accepts(last));
  EXPECT_TRUE(Accepts(words));
  own_.Invalidate();
  EXPECT_FALSE(Accepts(words));
}

TEST_F(RecoverableTest, GoesOnWithASession) {
  v1::LostSession session;
  session.set_pid("000000000000000100000000000000ab");
  session.set_sid("e-7");

  own_.Decide(&session);

  EXPECT_TRUE(own_.is_recovered());
  EXPECT_EQ(own_.PidText(), session.pid());
  EXPECT_EQ(own_.sid(), "e-7");
  EXPECT_NE(own_.found(), nullptr);
  own_.OnAdmitted();
  EXPECT_EQ(own_.found(), nullptr);
}

TEST_F(RecoverableTest, BeginsAnewWithASecretOfItsOwn) {
  const std::string pid = own_.PidText();

  own_.Decide(nullptr);

  EXPECT_TRUE(own_.is_decided());
  EXPECT_FALSE(own_.is_recovered());
  EXPECT_EQ(own_.PidText(), pid);
  EXPECT_NE(pid, Recoverable(stamp_, "confab", "/", {}).PidText());
}

}  // namespace
}  // namespace confab::edge
