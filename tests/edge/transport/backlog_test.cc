#include "edge/transport/backlog.h"

#include <memory>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

class RecordingReader final : public Backlog::Reader {
 public:
  std::size_t BytesUnderWay() override { return under_way; }
  void OnStalled() override {
    ++stalled;
    if (owned != nullptr) owned->reset();
  }

  std::size_t under_way = 1'000;
  int stalled = 0;
  std::unique_ptr<Backlog>* owned = nullptr;  // To be destroyed by a stall.
};

class BacklogTest : public testing::Test {
 protected:
  void Pass(absl::Duration time) {
    for (absl::Duration passed; passed < time; passed += wheel_.tick()) wheel_.Tick();
  }

  TimerWheel wheel_;
  RecordingReader reader_;
  std::unique_ptr<Backlog> backlog_ = std::make_unique<Backlog>(reader_, wheel_, absl::Seconds(10));
};

TEST_F(BacklogTest, KeepsOfEachKeyTheFirstThatWasDropped) {
  EXPECT_FALSE(backlog_->has_dropped());
  backlog_->Note({.key = 1, .seq = 5});
  backlog_->Note({.key = 1, .seq = 6});
  backlog_->Note({.key = 2, .seq = 9});
  backlog_->Note({.key = 1, .seq = 3});  // Of a replay that began further back.
  EXPECT_TRUE(backlog_->has_dropped());
  EXPECT_TRUE(backlog_->is_waiting());

  std::int64_t sum = 0;
  const std::vector<Dropped> dropped = backlog_->TakeDropped();
  for (const Dropped& one : dropped) {
    EXPECT_EQ(one.first_seq, one.key == 1 ? 3 : 9);
    sum += one.first_seq;
  }

  EXPECT_EQ(sum, 12);
  EXPECT_FALSE(backlog_->has_dropped());
  EXPECT_TRUE(backlog_->TakeDropped().empty());
}

TEST_F(BacklogTest, WaitsForAReaderUntilItTakesSomething) {
  EXPECT_FALSE(backlog_->is_waiting());
  backlog_->AwaitReader();
  EXPECT_TRUE(backlog_->is_waiting());

  backlog_->OnTaken();

  EXPECT_FALSE(backlog_->is_waiting());
}

TEST_F(BacklogTest, TellsOfAReaderThatTakesNothing) {
  Pass(absl::Seconds(9));
  EXPECT_EQ(reader_.stalled, 0);

  Pass(absl::Seconds(2));

  EXPECT_EQ(reader_.stalled, 1);
}

TEST_F(BacklogTest, BeginsAnewWithEachSignOfLife) {
  for (int i = 0; i < 10; ++i) {
    Pass(absl::Seconds(6));
    backlog_->OnTaken();
  }
  EXPECT_EQ(reader_.stalled, 0);
  for (int i = 0; i < 10; ++i) {
    Pass(absl::Seconds(6));
    --reader_.under_way;  // Its system has taken some of what is under way.
  }
  EXPECT_EQ(reader_.stalled, 0);

  Pass(absl::Seconds(12));

  EXPECT_EQ(reader_.stalled, 1);
}

TEST_F(BacklogTest, MayGoByTheStallItTellsOf) {
  reader_.owned = &backlog_;

  Pass(absl::Seconds(30));

  EXPECT_EQ(reader_.stalled, 1);
  EXPECT_EQ(backlog_, nullptr);
}

TEST_F(BacklogTest, WaitsForeverWithoutALimit) {
  backlog_ = std::make_unique<Backlog>(reader_, wheel_, absl::ZeroDuration());

  Pass(absl::Minutes(10));

  EXPECT_EQ(reader_.stalled, 0);
}

}  // namespace
}  // namespace confab::edge
