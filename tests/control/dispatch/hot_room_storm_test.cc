// Many who read the same room behind at once: nobody is kept waiting for a read that does not serve
// him, nor does what is in memory come faster than it can be sent.
#include <algorithm>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>

#include "control/fanout/room_audience.h"
#include "tests/control/dispatch/hot_room_bench.h"

namespace confab::control {
namespace {

using storage::RoomId;
using storage::StoreCall;
using storage::UserId;

using HotRoomStormTest = HotRoomBench;

// Of 16 KB; a page holds 16 of them.
std::string LongText() {
  std::string text;
  for (int i = 0; i < 4000; ++i) text += "\U0001F600";
  return text;
}

// An edge's stream that counts what waits in it until it is drained.
class CountingStream : public EdgeStream {
 public:
  using EdgeStream::Send;
  uint64_t Send(ItemBatch batch) override {
    const std::lock_guard lock(mu_);
    for (const v1::ControlItem& item : batch->items()) {
      if (item.has_result() && !item.result().has_error()) ++pages_;
      queued_ += item.ByteSizeLong();
    }
    most_ = std::max(most_, queued_);
    return 0;
  }
  size_t queued_bytes() const override {
    const std::lock_guard lock(mu_);
    return queued_;
  }
  void Close(absl::Status /*why*/) override {}
  void Drain() {
    const std::lock_guard lock(mu_);
    queued_ = 0;
  }
  size_t pages() const {
    const std::lock_guard lock(mu_);
    return pages_;
  }
  size_t most() const {
    const std::lock_guard lock(mu_);
    return most_;
  }

 private:
  mutable std::mutex mu_;
  size_t pages_ = 0;
  size_t queued_ = 0;
  size_t most_ = 0;
};

TEST_F(HotRoomStormTest, KeepsTheEndOfALogThatIsTooLongForIt) {
  MakeRoom("a", {"ann", "bob"});
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(PostAsSystem("a", LongText()).ok());
  TestEdge edge(*dispatcher_, "e1");

  EXPECT_EQ(SeqsOf(Replay(edge, "ann", 3)).front(), 4);  // 3 MB are missing.
  EXPECT_EQ(SeqsOf(Replay(edge, "ann", 195)).back(), 202);
  const int before = StoreReads();

  EXPECT_EQ(SeqsOf(Replay(edge, "bob", 195)).back(), 202);

  EXPECT_EQ(StoreReads(), before);
}

TEST_F(HotRoomStormTest, WhomASharedReadDoesNotServeReadsAlone) {
  MakeLog(5);
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = edge.DoPost(1, "ann", "a", "before").post_message().message_id();
  store_->Block(StoreCall::kReadEvents);
  edge.Send(TestEdge::Replay(1, "bob", 1, "a", 5));
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kReadEvents));
  EXPECT_EQ(WordOf(edge.Do(EditOf("ann", id, "after"))), "ok");
  edge.Send(TestEdge::Replay(1, "bob", 2, "a", 5), TestEdge::Replay(1, "bob", 3, "a", 5));
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", "8")), "ok");
  store_->Fail(StoreCall::kReadEvents, absl::UnavailableError("away"), 2);  // Behind the first.

  store_->Unblock(StoreCall::kReadEvents);

  EXPECT_EQ(WordOf(edge.stream().AwaitResult(1)), "ok");
  const std::vector<std::string> words = {WordOf(edge.stream().AwaitResult(2)),
                                          WordOf(edge.stream().AwaitResult(3))};
  EXPECT_THAT(words, testing::UnorderedElementsAre("ok", "UNAVAILABLE"));
}

TEST_F(HotRoomStormTest, ReadersBehindTheBeginningOfTheLogReadAlone) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  Awaited<storage::Retention> answer;
  dispatcher_->SetRetention(RoomId("a"), {absl::ZeroDuration(), 2}, {{}, "shop", "r"}, Soon(),
                            answer.callback());
  ASSERT_TRUE(answer.Get().ok());
  for (const Deadline end = Soon(); std::chrono::steady_clock::now() < end;) {
    if (WordOf(Replay(edge, "ann", 2)) == "RESYNC") break;
  }
  // The room has heard of it.
  const int trims = store_->calls(StoreCall::kTrim);
  for (const Deadline end = Soon(); std::chrono::steady_clock::now() < end;) {
    if (store_->calls(StoreCall::kTrim) > trims + 1) break;
  }
  EXPECT_EQ(WordOf(Replay(edge, "ann", 2)), "RESYNC");  // Nobody can have it from memory now.
  store_->Block(StoreCall::kReadEvents);
  edge.Send(TestEdge::Replay(1, "ann", 1, "a", 2), TestEdge::Replay(1, "bob", 2, "a", 3));

  EXPECT_TRUE(store_->WaitUntilBlocked(StoreCall::kReadEvents, 2));

  store_->Unblock(StoreCall::kReadEvents);
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(1)), "RESYNC");
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(2)), "RESYNC");
}

TEST_F(HotRoomStormTest, AnEdgeDoesNotWaitForAPageOfAConnection) {
  MakeLog(10);
  TestEdge first(*dispatcher_, "e1");
  store_->Block(StoreCall::kReadEvents);
  first.Send(TestEdge::Replay(1, "ann", 1, "a", 3));
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kReadEvents));

  TestEdge second(*dispatcher_, "e2", 1, {{RoomId("a"), 7, {UserId("bob")}}});

  EXPECT_TRUE(store_->WaitUntilBlocked(StoreCall::kReadEvents, 2));
  store_->Unblock(StoreCall::kReadEvents);
  EXPECT_TRUE(second.stream().AwaitLine("event 10 m10"));
}

TEST_F(HotRoomStormTest, PagesFromMemoryDoNotComeFasterThanTheyAreSent) {
  MakeRoom("a", {"ann", "bob"});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(PostAsSystem("a", LongText()).ok());
  TestEdge edge(*dispatcher_, "e1");
  EXPECT_EQ(Replay(edge, "ann", 2).history().events_size(), 16);
  auto stream = std::make_shared<CountingStream>();
  EdgeAnnouncement hello;
  hello.edge_id = "e2";
  const auto attached = dispatcher_->Attach(std::move(hello), stream);
  ASSERT_TRUE(attached.ok());

  constexpr size_t kPages = 200;  // 50 MB.
  std::vector<EdgeInput> crowd;
  for (uint64_t i = 1; i <= kPages; ++i) crowd.emplace_back(TestEdge::Replay(i, "ann", i, "a", 2));
  dispatcher_->Dispatch(*attached, std::move(crowd));
  for (const Deadline end = Soon(); std::chrono::steady_clock::now() < end;) {
    if (stream->queued_bytes() > RoomAudience::kCongestedBytes) stream->Drain();
    if (stream->pages() == kPages) break;
    std::this_thread::yield();
  }

  EXPECT_EQ(stream->pages(), kPages);
  EXPECT_LE(stream->most(), 2 * RoomAudience::kCongestedBytes) << "above 32 MiB it is dropped";
  dispatcher_->Detach(*attached);
}

TEST_F(HotRoomStormTest, PagesWaitForAStreamUntilTheirDeadline) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  TestEdge other(*dispatcher_, "e2");
  Replay(edge, "ann", 3);
  store_->Block(StoreCall::kIsActive);
  edge.Send(TestEdge::Replay(1, "ann", 1, "a", 3));
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kIsActive));
  edge.stream().SetQueuedBytes(RoomAudience::kCongestedBytes + 1);
  store_->Unblock(StoreCall::kIsActive);
  EdgeCommand hasty = TestEdge::Replay(1, "ann", 2, "a", 3);
  hasty.command.set_deadline_ms(50);

  EXPECT_EQ(WordOf(edge.Do(std::move(hasty))), "UNAVAILABLE");
  EXPECT_EQ(WordOf(Replay(other, "bob", 3)), "ok") << "whose stream has room";
  EXPECT_EQ(FromMemory(), 1u);
  EXPECT_EQ(edge.stream().LinesFrom(1), (Lines{"result 2 UNAVAILABLE"}));
  edge.stream().SetQueuedBytes(0);

  EXPECT_EQ(WordOf(edge.stream().AwaitResult(1)), "ok");
}

TEST_F(HotRoomStormTest, AWordOnWhoIsActiveThatHangsKeepsNoReaderWaiting) {
  MakeLog(10);
  MakeRoom("b", {"bob"});
  dispatcher_.reset();
  store_.reset();
  DispatcherOptions options;
  options.lanes = 1;
  options.readers = 1;
  options.command_deadline = absl::Seconds(5);
  Open(options);
  TestEdge edge(*dispatcher_, "e1");
  Replay(edge, "ann", 3);
  store_->Block(StoreCall::kIsActive);
  edge.Send(TestEdge::Replay(1, "ann", 1, "a", 3));
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kIsActive));

  EXPECT_EQ(WordOf(edge.DoJoin(2, "bob", "b")), "ok") << "the room has to be loaded";

  store_->Unblock(StoreCall::kIsActive);
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(1)), "ok");
  EXPECT_EQ(FromMemory(), 1u);
}

TEST_F(HotRoomStormTest, PagesThatWaitForAStreamAreAnsweredWhenControlStops) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  edge.stream().SetQueuedBytes(RoomAudience::kCongestedBytes + 1);
  edge.Send(TestEdge::Replay(1, "ann", 1, "a", 3));
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", "11")), "ok");  // So it is with its lane.

  dispatcher_->Stop();

  EXPECT_EQ(WordOf(edge.stream().AwaitResult(1)), "UNAVAILABLE");
}

}  // namespace
}  // namespace confab::control
