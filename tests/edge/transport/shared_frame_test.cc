#include "edge/transport/shared_frame.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

TEST(SharedFrame, CopiesTheBytes) {
  std::string bytes("a\0b", 3);

  const SharedFrame frame = SharedFrame::Copy(bytes);
  bytes = "overwritten";

  EXPECT_EQ(frame.bytes(), std::string_view("a\0b", 3));
  EXPECT_EQ(frame.size(), 3u);
}

TEST(SharedFrame, HoldsNothingByDefault) {
  const SharedFrame frame;

  EXPECT_FALSE(frame);
  EXPECT_EQ(frame.size(), 0u);
  EXPECT_EQ(frame.bytes(), "");
}

TEST(SharedFrame, SharesOneBufferAmongItsCopies) {
  const SharedFrame frame = SharedFrame::Copy("hello");

  const SharedFrame copy = frame;

  EXPECT_EQ(copy.bytes().data(), frame.bytes().data());
}

TEST(SharedFrame, LivesAsLongAsItsLastCopy) {
  SharedFrame last;
  {
    std::vector<SharedFrame> copies(100, SharedFrame::Copy("hello"));
    copies[3] = copies[4];
    last = copies[50];
  }

  EXPECT_EQ(last.bytes(), "hello");
}

TEST(SharedFrame, SurvivesAssignmentToItself) {
  SharedFrame frame = SharedFrame::Copy("hello");
  const SharedFrame& same = frame;

  frame = same;

  EXPECT_EQ(frame.bytes(), "hello");
}

TEST(SharedFrame, KnowsWhereItCanBeReadAgain) {
  SharedFrame frame = SharedFrame::Copy("hello");
  EXPECT_EQ(frame.place().key, 0u);

  frame.SetPlace({.key = 7, .seq = 9});
  const SharedFrame copy = frame;

  EXPECT_EQ(copy.place().key, 7u);
  EXPECT_EQ(copy.place().seq, 9);
  EXPECT_EQ(SharedFrame().place().key, 0u);
}

TEST(SharedFrame, CountsWhatIsAliveOnceHoweverManyCopiesThereAre) {
  const std::ptrdiff_t before = SharedFrame::BytesAlive();
  {
    const std::vector<SharedFrame> copies(100, SharedFrame::Copy(std::string(1'000, 'x')));
    EXPECT_GE(SharedFrame::BytesAlive() - before, 1'000);
    EXPECT_LT(SharedFrame::BytesAlive() - before, 2'000);
  }

  EXPECT_EQ(SharedFrame::BytesAlive(), before);
}

TEST(SharedFrame, LeavesNothingBehindWhenMoved) {
  SharedFrame frame = SharedFrame::Copy("hello");

  const SharedFrame moved = std::move(frame);

  EXPECT_FALSE(frame);  // NOLINT(bugprone-use-after-move): this is what is promised.
  EXPECT_EQ(moved.bytes(), "hello");
}

}  // namespace
}  // namespace confab::edge
