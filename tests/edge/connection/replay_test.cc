#include "edge/connection/replay.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::edge {
namespace {

v1::HistoryPage PageOf(std::int64_t first, std::int64_t last, bool more) {
  v1::HistoryPage page;
  for (std::int64_t seq = first; seq <= last; ++seq) page.add_events()->set_seq(seq);
  page.set_more(more);
  return page;
}

std::vector<std::int64_t> TakeAll(RoomReplay& replay) {
  std::vector<std::int64_t> seqs;
  while (const v1::Event* event = replay.Next()) {
    seqs.push_back(event->seq());
    replay.Take();
  }
  return seqs;
}

TEST(RoomReplay, ReadsNothingBeforeTheJoinIsAnswered) {
  RoomReplay replay("1", 5);
  EXPECT_FALSE(replay.WantsPage());
  EXPECT_FALSE(replay.IsDone(5));

  replay.Begin();

  EXPECT_TRUE(replay.WantsPage());
  EXPECT_TRUE(replay.IsDone(5));
  EXPECT_FALSE(replay.IsDone(6));
}

TEST(RoomReplay, ReadsPagesUntilItMeetsTheLivePosition) {
  RoomReplay replay("1", 5);
  replay.Begin();
  replay.OnAsked();
  EXPECT_FALSE(replay.WantsPage());

  replay.OnPage(PageOf(6, 8, true));
  EXPECT_THAT(TakeAll(replay), testing::ElementsAre(6, 7, 8));
  EXPECT_FALSE(replay.IsDone(9));
  EXPECT_TRUE(replay.WantsPage());
  replay.OnPage(PageOf(9, 11, false));

  EXPECT_THAT(TakeAll(replay), testing::ElementsAre(9, 10, 11));
  EXPECT_TRUE(replay.IsDone(9));
  EXPECT_EQ(replay.after_seq(), 11);
}

TEST(RoomReplay, KeepsItsPlaceWithinAPage) {
  RoomReplay replay("1", 0);
  replay.Begin();
  replay.OnPage(PageOf(1, 3, false));

  EXPECT_EQ(replay.Next()->seq(), 1);
  replay.Take();

  EXPECT_FALSE(replay.IsDone(1));  // The rest of the page is still to be handed over.
  EXPECT_THAT(TakeAll(replay), testing::ElementsAre(2, 3));
}

TEST(RoomReplay, StopsAtTheEventThatEndedTheSubscription) {
  RoomReplay replay("1", 0);
  replay.Begin();
  replay.EndAt(2);

  replay.OnPage(PageOf(1, 3, true));

  EXPECT_THAT(TakeAll(replay), testing::ElementsAre(1, 2));
  EXPECT_TRUE(replay.IsDone(std::nullopt));
}

// Such a page may have been read before the event that ended the subscription was stored.
TEST(RoomReplay, ReadsOnBehindAPageThatWasAskedForBeforeTheEnd) {
  RoomReplay replay("1", 0);
  replay.Begin();
  replay.OnAsked();
  replay.EndAt(4);

  replay.OnPage(PageOf(1, 2, false));
  EXPECT_THAT(TakeAll(replay), testing::ElementsAre(1, 2));
  EXPECT_FALSE(replay.IsDone(std::nullopt));
  EXPECT_TRUE(replay.WantsPage());
  replay.OnAsked();
  replay.OnPage(PageOf(3, 4, false));

  EXPECT_THAT(TakeAll(replay), testing::ElementsAre(3, 4));
  EXPECT_TRUE(replay.IsDone(std::nullopt));
}

TEST(RoomReplay, EndsWhereTheLogDoes) {
  RoomReplay replay("1", 0);
  replay.Begin();
  replay.EndAt(4);
  replay.OnAsked();

  replay.OnPage(PageOf(1, 2, false));

  EXPECT_THAT(TakeAll(replay), testing::ElementsAre(1, 2));
  EXPECT_TRUE(replay.IsDone(std::nullopt));
}

TEST(RoomReplay, GoesBackAndPassesOverThePageThatWasUnderWay) {
  RoomReplay replay("1", 0);
  replay.Begin();
  replay.OnPage(PageOf(1, 4, true));
  TakeAll(replay);
  replay.OnAsked();
  EXPECT_TRUE(replay.Awaits(4));

  replay.GoBack(2);
  EXPECT_FALSE(replay.WantsPage()) << "one at a time";
  replay.OnPage(PageOf(5, 6, false));

  EXPECT_FALSE(replay.has_hole());
  EXPECT_EQ(replay.Next(), nullptr);
  EXPECT_TRUE(replay.WantsPage());
  replay.OnAsked();
  EXPECT_TRUE(replay.Awaits(2));
  replay.OnPage(PageOf(3, 6, false));
  EXPECT_THAT(TakeAll(replay), testing::ElementsAre(3, 4, 5, 6));
}

TEST(RoomReplay, NeverGoesForward) {
  RoomReplay replay("1", 3);
  replay.Begin();

  replay.GoBack(5);

  EXPECT_EQ(replay.after_seq(), 3);
}

TEST(RoomReplay, IsNotAtItsEndAnyMoreWhenItGoesBack) {
  RoomReplay replay("1", 0);
  replay.Begin();
  replay.EndAt(9);
  replay.OnAsked();
  replay.OnPage(PageOf(1, 3, false));  // The log ends there.
  TakeAll(replay);
  ASSERT_TRUE(replay.IsDone(std::nullopt));

  replay.GoBack(1);

  EXPECT_FALSE(replay.IsDone(std::nullopt));
}

TEST(RoomReplay, SeesAHole) {
  RoomReplay replay("1", 4);
  replay.Begin();

  replay.OnPage(PageOf(5, 6, true));
  EXPECT_FALSE(replay.has_hole());
  TakeAll(replay);
  replay.OnPage(PageOf(9, 9, false));

  EXPECT_TRUE(replay.has_hole());
}

}  // namespace
}  // namespace confab::edge
