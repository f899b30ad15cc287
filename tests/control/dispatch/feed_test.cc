// The feed as services read it.
#include <gmock/gmock.h>

#include "control/dispatch/feed_calls.h"
#include "control/dispatch/feed_page.h"
#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FeedTest : public ControlBench {
 protected:
  v1::ReadFeedResponse Read(const std::string& position) {
    Awaited<v1::ReadFeedResponse> page;
    FeedCalls(*dispatcher_).Read(position, page.callback());
    auto answer = page.Get();
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *answer : v1::ReadFeedResponse();
  }
  absl::Status Commit(const std::string& consumer, const std::string& position) {
    Awaited<FeedDone> done;
    FeedCalls(*dispatcher_).CommitCursor(consumer, position, Soon(), done.callback());
    return done.Get().status();
  }
  absl::Status Delete(const std::string& consumer) {
    Awaited<FeedDone> done;
    FeedCalls(*dispatcher_).DeleteCursor(consumer, Soon(), done.callback());
    return done.Get().status();
  }
  std::vector<storage::FeedCursor> Cursors() {
    Awaited<std::vector<storage::FeedCursor>> cursors;
    FeedCalls(*dispatcher_).ListCursors(cursors.callback());
    return *cursors.Get();
  }
  static Lines LinesOf(const v1::ReadFeedResponse& page) {
    Lines lines;
    for (const v1::FeedEvent& event : page.events()) {
      lines.push_back(event.event().room_id() + "/" + std::to_string(event.event().seq()) + " " +
                      event.event().message_posted().content());
    }
    return lines;
  }
};

TEST_F(FeedTest, TellsTheEventsOfAllRoomsWithTheirContent) {
  MakeRoom("a", {"ann"});
  MakeRoom("b", {});
  ASSERT_TRUE(PostAsSystem("b", "one").ok());
  ASSERT_TRUE(PostAsSystem("a", "two").ok());

  const auto page = Read("");

  EXPECT_THAT(LinesOf(page), ElementsAre("a/1 ", "b/1 one", "a/2 two"));
  EXPECT_TRUE(page.at_end());
  EXPECT_THAT(LinesOf(Read(page.position())), IsEmpty());
  EXPECT_EQ(Read(page.position()).position(), page.position());
}

TEST_F(FeedTest, EndsAPageAtItsBytesWithoutAHole) {
  MakeRoom("a", {});
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(PostAsSystem("a", std::string(3'900, 'y')).ok());
  }

  std::string position;
  int64_t seq = 0;
  int pages = 0;
  while (true) {
    const auto page = Read(position);
    for (const v1::FeedEvent& event : page.events()) EXPECT_EQ(event.event().seq(), ++seq);
    EXPECT_LE(page.ByteSizeLong(), 1'200'000u);
    ++pages;
    position = page.position();
    if (page.at_end()) break;
    ASSERT_LT(pages, 50);
  }

  EXPECT_EQ(seq, 400);
  EXPECT_GT(pages, 1);
}

TEST_F(FeedTest, PassesOverRoomsThatAreGone) {
  MakeRoom("gone", {"ann"});
  MakeRoom("a", {"ann"});
  ASSERT_TRUE(DeleteRoom("gone").ok());

  const auto page = Read("");

  EXPECT_THAT(LinesOf(page), ElementsAre("a/1 "));
  EXPECT_TRUE(page.at_end());
}

TEST_F(FeedTest, KeepsConsumersApartAndOverARestart) {
  MakeRoom("a", {"ann"});
  const auto page = Read("");
  ASSERT_TRUE(Commit("search", page.position()).ok());
  Restart();

  const auto cursors = Cursors();
  ASSERT_EQ(cursors.size(), 1u);
  EXPECT_EQ(cursors[0].consumer, "search");
  EXPECT_EQ(ToText(cursors[0].position), page.position());
  EXPECT_TRUE(Delete("search").ok());
  EXPECT_EQ(ReasonOf(Delete("search")), v1::REASON_BAD_REQUEST);
}

TEST_F(FeedTest, RefusesWhatIsNoPositionAndNoName) {
  for (const char* bad : {"x", "1", "1/2", "-1/0/a", "1/x/a"}) {
    EXPECT_EQ(ReasonOf(Commit("c", bad)), v1::REASON_BAD_REQUEST) << bad;
  }
  EXPECT_EQ(ReasonOf(Commit("", "1/2/a")), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonOf(Commit(std::string(65, 'x'), "1/2/a")), v1::REASON_BAD_REQUEST);
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(Commit("c" + std::to_string(i), "1/2/a").ok());
  EXPECT_EQ(ReasonOf(Commit("one more", "1/2/a")), v1::REASON_LIMIT_REACHED);
  EXPECT_TRUE(Commit("c7", "1/3/a").ok());
}

}  // namespace
}  // namespace confab::control
