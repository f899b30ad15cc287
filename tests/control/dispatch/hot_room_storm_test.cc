// Many who read the same room behind at once: nobody is kept waiting for a read that does not serve
// him, nor does what is in memory come faster than it can be sent.
#include <gmock/gmock.h>

#include "tests/control/dispatch/hot_room_bench.h"

namespace confab::control {
namespace {

using storage::RoomId;
using storage::StoreCall;
using storage::UserId;

using HotRoomStormTest = HotRoomBench;

TEST_F(HotRoomStormTest, KeepsTheEndOfALogThatIsTooLongForIt) {
  std::string text;
  for (int i = 0; i < 4000; ++i) text += "\U0001F600";
  MakeRoom("a", {"ann", "bob"});
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(PostAsSystem("a", text).ok());
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

}  // namespace
}  // namespace confab::control
