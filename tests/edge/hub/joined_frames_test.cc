#include "edge/hub/joined_frames.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/connection/connection_fakes.h"

namespace confab::edge {
namespace {

using testing::ElementsAre;
using tests::NumberEncoder;

class JoinedFramesTest : public testing::Test {
 protected:
  // Events of these seqs; those of "unnamed" have no frame.
  void Begin(const std::vector<std::int64_t>& seqs, const std::vector<std::int64_t>& unnamed = {}) {
    events_.clear();
    run_ = {};
    for (const std::int64_t seq : seqs) {
      v1::Event& event = *events_.emplace_back().mutable_event();
      const bool is_named = std::find(unnamed.begin(), unnamed.end(), seq) == unnamed.end();
      event.set_room_id(is_named ? "r" : "unnamed");
      event.set_seq(seq);
    }
    for (const v1::RoomEvent& event : events_) run_.events.push_back({.event = &event});
    run_.frame_bytes_limit = limit_;
    frames_.Begin(run_);
  }

  std::vector<std::string> All(const EventEncoder& encoder) {
    std::vector<std::string> all;
    for (const SharedFrame& frame : frames_.ForReader(encoder)) all.emplace_back(frame.bytes());
    return all;
  }

  NumberEncoder first_{0};
  NumberEncoder second_{1};
  std::size_t limit_ = SIZE_MAX;
  std::vector<v1::RoomEvent> events_;
  EventRun run_;
  JoinedFrames frames_{2};
};

TEST_F(JoinedFramesTest, HoldsAllFramesInOne) {
  Begin({5, 6, 7});

  EXPECT_THAT(All(first_), ElementsAre("0:50:60:7"));
  EXPECT_THAT(All(second_), ElementsAre("1:51:61:7"));
  EXPECT_EQ(frames_.Of(first_, 1).bytes(), "0:6");
  EXPECT_EQ(first_.encoded, 3) << "each event once";
}

TEST_F(JoinedFramesTest, StandsWhereItsFirstEventDoes) {
  limit_ = 6;
  Begin({5, 6, 7, 8});

  const std::vector<SharedFrame>& all = frames_.ForReader(first_);

  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].place().seq, 5);
  EXPECT_EQ(all[0].place().key, first_.KeyOfRoom("r"));
  EXPECT_EQ(all[1].place().seq, 7);
}

TEST_F(JoinedFramesTest, KeepsToItsLimit) {
  limit_ = 7;  // Two of three bytes, or one of nine.
  Begin({1, 2, 3, 1'000'000, 4});

  EXPECT_THAT(All(first_), ElementsAre("0:10:2", "0:3", "0:1000000", "0:4"));
}

TEST_F(JoinedFramesTest, LeavesOutWhatHasNoName) {
  Begin({5, 6, 7}, {6});

  EXPECT_THAT(All(first_), ElementsAre("0:50:7"));
  EXPECT_FALSE(frames_.Of(first_, 1));
  Begin({5, 6}, {5});
  EXPECT_THAT(All(first_), ElementsAre("0:6"));
  Begin({5, 6}, {5, 6});
  EXPECT_TRUE(All(first_).empty());
}

TEST_F(JoinedFramesTest, CountsItsReadersByEvent) {
  Begin({5, 6}, {6});
  frames_.ForReader(first_);
  frames_.ForReader(first_);
  frames_.ForReader(second_);
  frames_.Of(second_, 0);

  EXPECT_EQ(frames_.ReadersOf(0), 3u);
  EXPECT_EQ(frames_.ReadersOf(1), 0u);
}

TEST_F(JoinedFramesTest, EncodesNothingNobodyReads) {
  Begin({5, 6});

  EXPECT_EQ(first_.encoded, 0);
  EXPECT_EQ(frames_.ReadersOf(0), 0u);
}

TEST_F(JoinedFramesTest, ForgetsTheRunBefore) {
  Begin({5, 6});
  All(first_);

  Begin({7, 8});

  EXPECT_THAT(All(first_), ElementsAre("0:70:8"));
  EXPECT_EQ(frames_.ReadersOf(0), 1u);
  EXPECT_EQ(frames_.ReadersOf(1), 1u);
}

TEST_F(JoinedFramesTest, GivesItsMemoryBack) {
  const std::ptrdiff_t before = SharedFrame::BytesAlive();
  Begin({5, 6});
  All(first_);
  EXPECT_GT(SharedFrame::BytesAlive(), before);

  frames_.Clear();

  EXPECT_EQ(SharedFrame::BytesAlive(), before);
}

}  // namespace
}  // namespace confab::edge
