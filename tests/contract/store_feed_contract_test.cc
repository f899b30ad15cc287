// What every store owes the feed: every event once, in each room's order, and never behind a position
// that was read.
#include <map>
#include <string>
#include <thread>

#include <gmock/gmock.h>

#include "tests/contract/store_backends.h"

namespace confab::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoreFeed : public StoreContract {
 protected:
  FeedPage Read(const FeedPosition& after, int32_t limit = 100) {
    auto page = store_->ReadFeed(after, limit);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? *std::move(page) : FeedPage{};
  }
  // "room/seq" of everything behind `after`; moves it on.
  std::vector<std::string> ReadOn(FeedPosition& after, int32_t limit = 100) {
    std::vector<std::string> lines;
    while (true) {
      const FeedPage page = Read(after, limit);
      for (const FeedPosition& event : page.events) {
        lines.push_back(event.room.value + "/" + std::to_string(event.seq));
        after = event;
      }
      if (page.at_end) return lines;
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreFeed, testing::ValuesIn(AllBackends()), BackendName);

TEST_P(StoreFeed, HoldsEveryEventInEachRoomsOrder) {
  Create("a");
  Create("b");
  Append({Post("b", 1, "k1"), Post("a", 1, "k2"), Post("b", 1, "k3")});
  Append({Post("a", 1, "k4")});
  FeedPosition position;

  std::map<std::string, int> next;
  for (const std::string& line : ReadOn(position, 2)) {
    const std::string room = line.substr(0, 1);
    EXPECT_EQ(line, room + "/" + std::to_string(++next[room]));
  }

  EXPECT_EQ(next["a"], 3);
  EXPECT_EQ(next["b"], 3);
  EXPECT_THAT(ReadOn(position), IsEmpty());
  Append({Post("a", 1, "k5")});
  EXPECT_THAT(ReadOn(position), ElementsAre("a/4"));
}

TEST_P(StoreFeed, GoesOnBehindItsEnd) {
  Create("a");
  auto end = store_->ReadFeedEnd();
  ASSERT_TRUE(end.ok()) << end.status();
  Append({Post("a", 1, "k1")});
  Append({Post("a", 1, "k2")});

  EXPECT_THAT(ReadOn(*end), ElementsAre("a/2", "a/3"));
}

TEST_P(StoreFeed, LosesNothingBehindADeletedRoom) {
  Create("a");
  Create("gone");
  Append({Post("gone", 1, "k1")});
  FeedPosition position;
  ReadOn(position);
  ASSERT_TRUE(writer_->DeleteRoom(RoomId("gone"), nullptr).ok());
  Append({Post("a", 1, "k2")});

  EXPECT_THAT(ReadOn(position), ElementsAre("a/2"));
}

TEST_P(StoreFeed, KeepsCursorsByName) {
  FeedCursor one{"search", {7, RoomId("a"), 3}, absl::FromUnixSeconds(100)};
  FeedCursor two{"bridge", {8, RoomId(), 0}, absl::FromUnixSeconds(101)};
  ASSERT_TRUE(writer_->SetFeedCursor(one).ok());
  ASSERT_TRUE(writer_->SetFeedCursor(two).ok());
  one.position = {9, RoomId("b"), 1};
  ASSERT_TRUE(writer_->SetFeedCursor(one).ok());
  Reopen();

  const auto cursors = store_->ListFeedCursors();
  ASSERT_TRUE(cursors.ok()) << cursors.status();
  ASSERT_EQ(cursors->size(), 2u);
  EXPECT_EQ(cursors->at(0).consumer, "bridge");
  EXPECT_EQ(cursors->at(1).consumer, "search");
  EXPECT_EQ(cursors->at(1).position, one.position);
  EXPECT_EQ(cursors->at(1).committed_at, one.committed_at);
  EXPECT_TRUE(writer_->DeleteFeedCursor("search").ok());
  EXPECT_EQ(writer_->DeleteFeedCursor("search").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->ListFeedCursors()->size(), 1u);
}

}  // namespace
}  // namespace confab::storage
