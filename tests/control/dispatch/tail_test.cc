// Following a room from the log into the live events.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::RoomId;
using storage::StoreCall;

// Keeps what it takes; takes no more than it has room for.
class RecordingSink : public TailSink {
 public:
  explicit RecordingSink(size_t room = 1'000'000) : room_(room) {}

  bool Offer(const v1::Event& event) override {
    const std::lock_guard lock(mu_);
    if (room_ == 0) {
      is_refusing_ = true;
      changed_.notify_all();
      return false;
    }
    --room_;
    seqs_.push_back(event.seq());
    changed_.notify_all();
    return true;
  }
  void End(absl::Status why) override {
    const std::lock_guard lock(mu_);
    EXPECT_FALSE(end_.has_value()) << "ended twice";
    end_ = std::move(why);
    changed_.notify_all();
  }

  void SetRoom(size_t room) {
    const std::lock_guard lock(mu_);
    room_ = room;
    is_refusing_ = false;
  }
  bool AwaitSeq(int64_t seq) {
    return Await([&] { return !seqs_.empty() && seqs_.back() >= seq; });
  }
  bool AwaitRefusal() {
    return Await([&] { return is_refusing_; });
  }
  v1::Reason AwaitEnd() {
    if (!Await([&] { return end_.has_value(); })) return v1::REASON_UNSPECIFIED;
    return ReasonOf(*end_);
  }
  std::vector<int64_t> seqs() {
    const std::lock_guard lock(mu_);
    return seqs_;
  }
  bool has_ended() {
    const std::lock_guard lock(mu_);
    return end_.has_value();
  }

 private:
  bool Await(const std::function<bool()>& is_true) {
    std::unique_lock lock(mu_);
    return changed_.wait_for(lock, kLong, is_true);
  }
  std::mutex mu_;
  std::condition_variable changed_;
  size_t room_;
  bool is_refusing_ = false;
  std::vector<int64_t> seqs_;
  std::optional<absl::Status> end_;
};

std::vector<int64_t> Range(int64_t from, int64_t to) {
  std::vector<int64_t> range;
  for (int64_t i = from; i <= to; ++i) range.push_back(i);
  return range;
}

class TailTest : public ControlBench {
 protected:
  void Post(int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(PostAsSystem("a", "x").ok());
  }
  std::shared_ptr<RecordingSink> sink_ = std::make_shared<RecordingSink>();
};

TEST_F(TailTest, ReadsTheLogFirstThenGoesLive) {
  MakeRoom("a", {"ann"});
  Post(700);
  const auto tail = dispatcher_->TailEvents(RoomId("a"), 0, sink_);
  Post(50);
  ASSERT_TRUE(sink_->AwaitSeq(751));
  EXPECT_EQ(sink_->seqs(), Range(1, 751));
}

TEST_F(TailTest, StartsBehindThePositionOrNow) {
  MakeRoom("a", {"ann"});
  Post(9);
  const auto now = std::make_shared<RecordingSink>();
  const auto first = dispatcher_->TailEvents(RoomId("a"), 5, sink_);
  const auto second = dispatcher_->TailEvents(RoomId("a"), std::nullopt, now);
  EXPECT_TRUE(List("a").ok());
  Post(2);
  ASSERT_TRUE(sink_->AwaitSeq(12));
  ASSERT_TRUE(now->AwaitSeq(12));
  EXPECT_EQ(sink_->seqs(), Range(6, 12));
  EXPECT_EQ(now->seqs(), Range(11, 12));
}

TEST_F(TailTest, WaitsForASinkWithoutRoomAndLosesNothing) {
  MakeRoom("a", {"ann"});
  sink_->SetRoom(3);
  const auto tail = dispatcher_->TailEvents(RoomId("a"), 0, sink_);
  Post(10);
  ASSERT_TRUE(sink_->AwaitRefusal());
  Post(1100);  // More than is kept in memory for those who catch up.
  EXPECT_EQ(sink_->seqs(), Range(1, 3));

  sink_->SetRoom(600);
  tail->Resume();
  ASSERT_TRUE(sink_->AwaitRefusal());
  sink_->SetRoom(1'000'000);
  tail->Resume();
  Post(10);

  ASSERT_TRUE(sink_->AwaitSeq(1121));
  EXPECT_EQ(sink_->seqs(), Range(1, 1121));
}

TEST_F(TailTest, HoldsNobodyElseUp) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  sink_->SetRoom(0);
  const auto tail = dispatcher_->TailEvents(RoomId("a"), 0, sink_);
  ASSERT_TRUE(sink_->AwaitRefusal());
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", "hi")), "ok");
}

TEST_F(TailTest, EndsWithTheRoom) {
  MakeRoom("a", {"ann"});
  const auto tail = dispatcher_->TailEvents(RoomId("a"), 0, sink_);
  ASSERT_TRUE(sink_->AwaitSeq(1));
  EXPECT_TRUE(DeleteRoom("a").ok());
  EXPECT_EQ(sink_->AwaitEnd(), v1::REASON_ROOM_NOT_FOUND);
}

TEST_F(TailTest, EndsWithControl) {
  MakeRoom("a", {"ann"});
  const auto tail = dispatcher_->TailEvents(RoomId("a"), 0, sink_);
  ASSERT_TRUE(sink_->AwaitSeq(1));
  dispatcher_->Stop();
  EXPECT_EQ(sink_->AwaitEnd(), v1::REASON_UNAVAILABLE);
  const auto late = std::make_shared<RecordingSink>();
  const auto refused = dispatcher_->TailEvents(RoomId("a"), 0, late);
  EXPECT_EQ(late->AwaitEnd(), v1::REASON_UNAVAILABLE);
}

TEST_F(TailTest, RefusesWhatIsNotInTheLog) {
  MakeRoom("a", {"ann"});
  const auto ahead = dispatcher_->TailEvents(RoomId("a"), 2, sink_);
  EXPECT_EQ(sink_->AwaitEnd(), v1::REASON_RESYNC);
  const auto nowhere = std::make_shared<RecordingSink>();
  const auto missing = dispatcher_->TailEvents(RoomId("nowhere"), 0, nowhere);
  EXPECT_EQ(nowhere->AwaitEnd(), v1::REASON_ROOM_NOT_FOUND);
}

TEST_F(TailTest, StopsWhenItIsDestroyed) {
  MakeRoom("a", {"ann"});
  auto tail = dispatcher_->TailEvents(RoomId("a"), 0, sink_);
  ASSERT_TRUE(sink_->AwaitSeq(1));
  tail.reset();
  Post(2);
  EXPECT_EQ(sink_->seqs(), Range(1, 1));
  EXPECT_FALSE(sink_->has_ended());
  // One that is destroyed while its room is being loaded.
  MakeRoom("b", {});
  store_->Block(StoreCall::kReadRoom);
  auto early = dispatcher_->TailEvents(RoomId("b"), 0, sink_);
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kReadRoom));
  early.reset();
  store_->Unblock(StoreCall::kReadRoom);
  EXPECT_TRUE(PostAsSystem("b", "x").ok());
  EXPECT_FALSE(sink_->has_ended());
}

TEST_F(TailTest, OutlivesTheDispatcher) {
  MakeRoom("a", {"ann"});
  auto tail = dispatcher_->TailEvents(RoomId("a"), 0, sink_);
  ASSERT_TRUE(sink_->AwaitSeq(1));
  dispatcher_.reset();
  tail->Resume();
  tail.reset();
  EXPECT_TRUE(sink_->has_ended());
}

}  // namespace
}  // namespace confab::control
