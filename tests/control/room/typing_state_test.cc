#include "control/room/typing_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using storage::UserId;
using testing::ElementsAre;
using testing::IsEmpty;

class TypingStateTest : public testing::Test {
 protected:
  static TypingState::Time At(double after) {
    return TypingState::Time(seconds(1000)) + milliseconds(static_cast<int64_t>(after * 1000));
  }

  TypingState state_;
  const UserId ann_{"ann"};
  const UserId bob_{"bob"};
};

TEST_F(TypingStateTest, TellsOthersAtMostOncePerInterval) {
  EXPECT_TRUE(state_.Begin(ann_, At(0)));
  EXPECT_FALSE(state_.Begin(ann_, At(0.5)));
  EXPECT_FALSE(state_.Begin(ann_, At(1.999)));
  EXPECT_TRUE(state_.Begin(ann_, At(2)));
  EXPECT_TRUE(state_.Begin(bob_, At(2))) << "each user by itself";
}

TEST_F(TypingStateTest, EndsByItselfSixSecondsAfterTheUserWasLastHeard) {
  state_.Begin(ann_, At(0));
  state_.Begin(ann_, At(1));

  EXPECT_THAT(state_.Expire(At(6.5)), IsEmpty());
  EXPECT_EQ(state_.NextAt(), At(7));
  EXPECT_THAT(state_.Expire(At(7)), ElementsAre(ann_));
  EXPECT_TRUE(state_.empty());
  EXPECT_EQ(state_.NextAt(), std::nullopt);
}

TEST_F(TypingStateTest, TellsAnEndOnceAndAtOnce) {
  state_.Begin(ann_, At(0));

  EXPECT_TRUE(state_.End(ann_, At(0.1)));
  EXPECT_FALSE(state_.End(ann_, At(0.2)));
  EXPECT_FALSE(state_.End(bob_, At(0.2))) << "who has not begun";
  EXPECT_THAT(state_.Expire(At(10)), IsEmpty());
}

TEST_F(TypingStateTest, TellsOfAFlickeringUserNoMoreOften) {
  int told = 0;
  for (int i = 0; i < 100; ++i) {
    if (state_.Begin(ann_, At(i * 0.1))) ++told;
    state_.End(ann_, At(i * 0.1 + 0.05));
  }

  EXPECT_EQ(told, 5) << "10 s";
}

TEST_F(TypingStateTest, ForgetsWhoHasEndedOnceTheIntervalIsOver) {
  state_.Begin(ann_, At(0));
  state_.End(ann_, At(1));

  EXPECT_EQ(state_.NextAt(), At(2));
  EXPECT_THAT(state_.Expire(At(2)), IsEmpty());
  EXPECT_TRUE(state_.empty());
}

TEST_F(TypingStateTest, LeavesACrowdUnseen) {
  for (size_t i = 0; i < TypingState::kTypistsLimit; ++i) {
    EXPECT_TRUE(state_.Begin(UserId(std::to_string(i)), At(0)));
  }

  EXPECT_FALSE(state_.Begin(ann_, At(0)));
  EXPECT_FALSE(state_.End(ann_, At(0)));
}

}  // namespace
}  // namespace confab::control
