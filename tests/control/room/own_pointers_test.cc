#include "control/room/own_pointers.h"

#include <gtest/gtest.h>

namespace confab::control {
namespace {

using storage::RoomId;
using storage::UserId;

const UserId kAnn("ann");
const RoomId kRoom("a");

TEST(OwnPointers, KeepsTheNewestOfEachUserAndRoom) {
  OwnPointers own;
  EXPECT_TRUE(own.empty());
  own.Note(kAnn, kRoom, 3);
  own.Note(kAnn, RoomId("b"), 9);
  own.Note(UserId("bob"), kRoom, 4);
  own.Note(kAnn, kRoom, 5);

  EXPECT_EQ(own.Find(kAnn, kRoom), 5);
  EXPECT_EQ(own.Find(kAnn, RoomId("c")), 0);
  EXPECT_EQ(own.Of(kAnn).size(), 2u);
  EXPECT_EQ(own.TakeUnwritten(10).size(), 3u);
  EXPECT_TRUE(own.TakeUnwritten(10).empty());
}

TEST(OwnPointers, ForgetsWhatIsWrittenUnlessItMovedMeanwhile) {
  OwnPointers own;
  own.Note(kAnn, kRoom, 3);
  const auto first = own.TakeUnwritten(10);
  EXPECT_EQ(own.Find(kAnn, kRoom), 3);
  own.Note(kAnn, kRoom, 4);

  own.OnWritten(first);
  EXPECT_EQ(own.Find(kAnn, kRoom), 4);
  const auto second = own.TakeUnwritten(10);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].seq, 4);
  own.OnWritten(second);

  EXPECT_TRUE(own.empty());
}

TEST(OwnPointers, GivesOutAgainWhatWasNotWritten) {
  OwnPointers own;
  own.Note(kAnn, kRoom, 3);

  own.OnFailed(own.TakeUnwritten(10));

  EXPECT_EQ(own.TakeUnwritten(10).size(), 1u);
}

TEST(OwnPointers, GivesOutNoMoreThanAskedFor) {
  OwnPointers own;
  for (int i = 0; i < 5; ++i) own.Note(UserId(std::to_string(i)), kRoom, i + 1);

  EXPECT_EQ(own.TakeUnwritten(3).size(), 3u);
  EXPECT_EQ(own.TakeUnwritten(3).size(), 2u);
}

}  // namespace
}  // namespace confab::control
