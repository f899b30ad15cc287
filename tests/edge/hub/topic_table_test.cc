#include "edge/hub/topic_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using Verdict = TopicTable::Verdict;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(TopicTable, KnowsWhichThreadsWantATopic) {
  TopicTable table;

  table.OnSubscribe("room:r", 0, 5);
  table.OnSubscribe("room:r", 3, 5);
  table.OnSubscribe("room:r", 3, 5);
  table.OnSubscribe("room:s", 63, 0);

  EXPECT_EQ(table.ThreadsOf("room:r"), 0b1001u);
  EXPECT_EQ(table.ThreadsOf("room:s"), uint64_t{1} << 63);
  EXPECT_EQ(table.ThreadsOf("room:t"), 0u);
}

TEST(TopicTable, TakesEachEventOnceAndInOrder) {
  TopicTable table;
  table.OnSubscribe("room:r", 0, 5);

  EXPECT_EQ(table.OnEvent("room:r", 5).verdict, Verdict::kDuplicate);
  EXPECT_EQ(table.OnEvent("room:r", 7).verdict, Verdict::kGap);
  EXPECT_EQ(table.OnEvent("room:r", 6).verdict, Verdict::kDeliver);
  EXPECT_EQ(table.OnEvent("room:r", 6).verdict, Verdict::kDuplicate);
  EXPECT_EQ(table.OnEvent("room:r", 7).verdict, Verdict::kDeliver);
  EXPECT_EQ(table.OnEvent("room:s", 1).verdict, Verdict::kUnwanted);
}

TEST(TopicTable, SaysWhichThreadsAnEventIsFor) {
  TopicTable table;
  table.OnSubscribe("room:r", 0, 5);
  table.OnSubscribe("room:r", 3, 5);

  EXPECT_EQ(table.OnEvent("room:r", 7).threads, 0u) << "one is missing before it";
  EXPECT_EQ(table.OnEvent("room:r", 6).threads, 0b1001u);
  EXPECT_EQ(table.OnEvent("room:r", 6).threads, 0u) << "again";
  EXPECT_EQ(table.OnEvent("room:s", 1).threads, 0u);
}

TEST(TopicTable, KeepsItsPositionWhenAnotherSubscribes) {
  TopicTable table;
  table.OnSubscribe("room:r", 0, 5);

  table.OnSubscribe("room:r", 1, 9);  // Control is ahead of an edge that is catching up.

  EXPECT_EQ(table.OnEvent("room:r", 6).verdict, Verdict::kDeliver);
}

TEST(TopicTable, ForgetsATopicWithItsLastThread) {
  TopicTable table;
  table.OnSubscribe("room:r", 0, 5);
  const uint64_t seen = table.OnSubscribe("room:r", 1, 5);

  EXPECT_FALSE(table.OnReleased("room:r", 0, seen));
  EXPECT_EQ(table.ThreadsOf("room:r"), 0b10u);
  EXPECT_TRUE(table.OnReleased("room:r", 1, seen));

  EXPECT_EQ(table.size(), 0u);
  EXPECT_FALSE(table.OnReleased("room:r", 1, seen));
}

TEST(TopicTable, KeepsAThreadThatASubscriberIsOnItsWayTo) {
  TopicTable table;
  const uint64_t seen = table.OnSubscribe("room:r", 0, 5);
  table.OnSubscribe("room:r", 0, 5);

  EXPECT_FALSE(table.OnReleased("room:r", 0, seen));

  EXPECT_EQ(table.ThreadsOf("room:r"), 0b1u);
}

TEST(TopicTable, NumbersSubscribesOfAllTopics) {
  TopicTable table;
  const uint64_t first = table.OnSubscribe("room:r", 0, 5);
  const uint64_t second = table.OnSubscribe("room:s", 0, 5);

  EXPECT_EQ(second, first + 1);
  EXPECT_EQ(table.subscribes(), second);
  EXPECT_TRUE(table.OnReleased("room:r", 0, second)) << "the later one was for another topic";
}

TEST(TopicTable, StartsAnewWhenATopicComesBack) {
  TopicTable table;
  const uint64_t seen = table.OnSubscribe("room:r", 0, 5);
  table.OnReleased("room:r", 0, seen);

  table.OnSubscribe("room:r", 0, 8);

  EXPECT_EQ(table.OnEvent("room:r", 9).verdict, Verdict::kDeliver);
}

TEST(TopicTable, KeepsAWantedTopicUntilItsThreadLetsGo) {
  TopicTable table;
  const uint64_t seen = table.OnSubscribe("room:r", 0, 5);

  table.OnWanted("user:ann", 2);
  EXPECT_EQ(table.ThreadsOf("user:ann"), 0b100u);
  EXPECT_EQ(table.subscribes(), seen) << "no Subscribe item stands behind it";

  EXPECT_TRUE(table.OnReleased("user:ann", 2, 0));
  EXPECT_EQ(table.ThreadsOf("user:ann"), 0u);
}

TEST(TopicTable, TellsHowFarEachTopicHasCome) {
  TopicTable table;
  table.OnSubscribe("room:r", 0, 5);
  table.OnSubscribe("room:s", 0, 0);
  table.OnEvent("room:r", 6);

  EXPECT_THAT(table.Positions(), UnorderedElementsAre(Pair("room:r", 6), Pair("room:s", 0)));
}

}  // namespace
}  // namespace confab::edge
