#include "edge/connection/turn_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using Kind = TurnQueue::Kind;
using testing::Optional;

// One turn of each kind.
TurnQueue Narrow() {
  TurnQueue turns;
  turns.SetThreads(TurnQueue::kThreadsWithAll * TurnQueue::kJoinsLimit);
  return turns;
}

TEST(TurnQueue, KnowsWhatTakesTurns) {
  v1::Command command;
  command.mutable_join_room();
  EXPECT_EQ(TurnQueue::KindOf(command), std::nullopt) << "a client's own";
  command.set_is_automatic(true);
  EXPECT_EQ(TurnQueue::KindOf(command), Kind::kJoin);
  command.mutable_list_rooms();
  EXPECT_EQ(TurnQueue::KindOf(command), Kind::kJoin);
  command.mutable_read_inbox();
  EXPECT_EQ(TurnQueue::KindOf(command), std::nullopt);
  command.Clear();
  command.mutable_replay_page();
  EXPECT_EQ(TurnQueue::KindOf(command), Kind::kPage);
}

TEST(TurnQueue, HandsOutSoManyAndNoMore) {
  TurnQueue turns;
  for (std::size_t i = 0; i < TurnQueue::kJoinsLimit; ++i) EXPECT_TRUE(turns.Take(Kind::kJoin, 7));
  EXPECT_FALSE(turns.Take(Kind::kJoin, 7));
  EXPECT_FALSE(turns.Take(Kind::kJoin, 8));
  EXPECT_TRUE(turns.Take(Kind::kPage, 8)) << "of another kind";
  EXPECT_EQ(turns.Call(), std::nullopt) << "none is free";
}

TEST(TurnQueue, SharesWhatAnEdgeMayHaveAmongManyThreads) {
  TurnQueue turns;
  turns.SetThreads(2);
  for (std::size_t i = 0; i < TurnQueue::kPagesLimit; ++i) EXPECT_TRUE(turns.Take(Kind::kPage, 7));
  TurnQueue shared;
  shared.SetThreads(4 * TurnQueue::kThreadsWithAll);
  for (std::size_t i = 0; i < TurnQueue::kPagesLimit / 4; ++i) {
    EXPECT_TRUE(shared.Take(Kind::kPage, 7));
  }
  EXPECT_FALSE(shared.Take(Kind::kPage, 7));
}

TEST(TurnQueue, CallsInOrderAndEachForOneTurn) {
  TurnQueue turns = Narrow();
  ASSERT_TRUE(turns.Take(Kind::kJoin, 1));
  EXPECT_FALSE(turns.Take(Kind::kJoin, 2));
  EXPECT_FALSE(turns.Take(Kind::kJoin, 3));
  EXPECT_FALSE(turns.Take(Kind::kJoin, 2)) << "it has its place already";

  turns.GiveBack(Kind::kJoin, 1);
  EXPECT_FALSE(turns.Take(Kind::kJoin, 1)) << "others were there before";
  EXPECT_THAT(turns.Call(), Optional(2u));
  EXPECT_FALSE(turns.Take(Kind::kJoin, 3)) << "it was not called";
  EXPECT_TRUE(turns.Take(Kind::kJoin, 2));
  EXPECT_FALSE(turns.Take(Kind::kJoin, 2)) << "behind the others again";

  for (const std::uint64_t next : {3u, 1u, 2u}) {
    turns.GiveBack(Kind::kJoin, next == 3 ? 2 : next == 1 ? 3 : 1);
    EXPECT_THAT(turns.Call(), Optional(next));
    EXPECT_TRUE(turns.Take(Kind::kJoin, next));
  }
  EXPECT_EQ(turns.Call(), std::nullopt);
}

TEST(TurnQueue, PassesOverWhoWantsNoneAnyMore) {
  TurnQueue turns = Narrow();
  ASSERT_TRUE(turns.Take(Kind::kPage, 1));
  turns.Take(Kind::kPage, 2);
  turns.Take(Kind::kPage, 3);
  turns.GiveBack(Kind::kPage, 1);

  EXPECT_THAT(turns.Call(), Optional(2u));
  EXPECT_THAT(turns.Call(), Optional(3u)) << "2 took nothing";
  EXPECT_TRUE(turns.Take(Kind::kPage, 3));
  EXPECT_EQ(turns.Call(), std::nullopt);
}

TEST(TurnQueue, ForgetsWhoIsGoneWithItsTurnsAndItsPlace) {
  TurnQueue turns = Narrow();
  ASSERT_TRUE(turns.Take(Kind::kJoin, 1));
  turns.Take(Kind::kJoin, 2);
  turns.Take(Kind::kJoin, 3);

  turns.Forget(2);
  turns.Forget(1);
  EXPECT_EQ(turns.taken(Kind::kJoin), 0u);
  EXPECT_THAT(turns.Call(), Optional(3u));
  turns.Forget(3);
  EXPECT_TRUE(turns.Take(Kind::kJoin, 4)) << "nobody is left before it";

  turns.GiveBack(Kind::kJoin, 1);
  EXPECT_EQ(turns.taken(Kind::kJoin), 1u) << "it had none any more";
}

}  // namespace
}  // namespace confab::edge
