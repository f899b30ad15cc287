#include "edge/hub/topic_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::edge {
namespace {

TEST(TopicTable, KnowsWhichThreadsWantATopic) {
  TopicTable table;

  table.OnSubscribe("room:1", 0, 5);
  table.OnSubscribe("room:1", 3, 5);

  EXPECT_EQ(table.ThreadsOf("room:1"), 0b1001u);
  EXPECT_EQ(table.ThreadsOf("room:2"), 0u);
}

TEST(TopicTable, LetsEachEventThroughOnceAndInOrder) {
  TopicTable table;
  table.OnSubscribe("room:1", 0, 5);

  EXPECT_EQ(table.OnEvent("room:1", 5), TopicTable::Verdict::kDuplicate);
  EXPECT_EQ(table.OnEvent("room:1", 6), TopicTable::Verdict::kDeliver);
  EXPECT_EQ(table.OnEvent("room:1", 6), TopicTable::Verdict::kDuplicate);
  EXPECT_EQ(table.OnEvent("room:1", 8), TopicTable::Verdict::kGap);
  EXPECT_EQ(table.OnEvent("room:2", 1), TopicTable::Verdict::kUnwanted);
  EXPECT_THAT(table.Positions(), testing::ElementsAre(testing::Pair("room:1", 6)));
}

TEST(TopicTable, ASecondSubscriberDoesNotMoveThePosition) {
  TopicTable table;
  table.OnSubscribe("room:1", 0, 5);

  table.OnSubscribe("room:1", 1, 9);  // Control is ahead: the edge is catching up.

  EXPECT_EQ(table.OnEvent("room:1", 6), TopicTable::Verdict::kDeliver);
}

TEST(TopicTable, ForgetsATopicWithItsLastThread) {
  TopicTable table;
  table.OnSubscribe("room:1", 0, 5);
  const std::uint64_t seen = table.OnSubscribe("room:1", 1, 5);

  EXPECT_FALSE(table.OnReleased("room:1", 0, seen));
  EXPECT_EQ(table.ThreadsOf("room:1"), 0b10u);
  EXPECT_TRUE(table.OnReleased("room:1", 1, seen));
  EXPECT_EQ(table.size(), 0u);
}

TEST(TopicTable, ASubscriberOnItsWayVoidsARelease) {
  TopicTable table;
  const std::uint64_t seen = table.OnSubscribe("room:1", 0, 5);
  table.OnSubscribe("room:1", 0, 5);

  EXPECT_FALSE(table.OnReleased("room:1", 0, seen));
  EXPECT_EQ(table.ThreadsOf("room:1"), 1u);
}

}  // namespace
}  // namespace confab::edge
