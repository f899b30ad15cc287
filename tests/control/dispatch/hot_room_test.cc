// Pages of rooms that are read behind: from memory, once for everybody, and never other than the
// store would give them.
#include <gmock/gmock.h>

#include "tests/control/dispatch/hot_room_bench.h"

namespace confab::control {
namespace {

using storage::RoomId;
using storage::StoreCall;
using storage::UserId;
using testing::ElementsAre;

using HotRoomTest = HotRoomBench;

TEST_F(HotRoomTest, ReadsAPageOnceForEverybodyWhoMissedIt) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");

  const v1::Result read = Replay(edge, "ann", 3);
  const int before = StoreReads();
  const v1::Result remembered = Replay(edge, "ann", 3);
  const v1::Result later = Replay(edge, "bob", 8);

  EXPECT_EQ(read.history().events_size(), 7);
  EXPECT_EQ(PageOf(remembered), PageOf(read));
  EXPECT_THAT(SeqsOf(later), ElementsAre(9, 10));
  EXPECT_EQ(StoreReads(), before);
  EXPECT_EQ(FromMemory(), 2u);
}

TEST_F(HotRoomTest, SaysTheSameFromMemoryAsTheStore) {
  MakeRoom("a", {"ann", "bob"}, true);
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = edge.DoPost(1, "bob", "a", "his").post_message().message_id();
  Replay(edge, "ann", 2);  // From here on what is published is kept.
  edge.DoPost(1, "ann", "a", "hers", "key");
  edge.Do(EditOf("bob", id, "better"));
  EXPECT_TRUE(Add("a", {"cid"}, storage::Role::kModerator).ok());
  EXPECT_TRUE(Remove("a", {"cid"}).ok());
  EXPECT_TRUE(PostAsSystem("a", "the system's").ok());

  const v1::Result published = Replay(edge, "ann", 3);
  Replay(edge, "ann", 1);  // The edit is not to be had without the message.
  const uint64_t before = FromMemory();
  const v1::Result all = Replay(edge, "ann", 1);

  EXPECT_EQ(FromMemory(), before + 1);
  EXPECT_EQ(all.history().events_size(), 7);
  edge.Detach();
  Restart();
  TestEdge again(*dispatcher_, "e1");
  EXPECT_EQ(PageOf(published), PageOf(Replay(again, "ann", 3)));
  EXPECT_EQ(PageOf(all), PageOf(Replay(again, "ann", 1)));
}

TEST_F(HotRoomTest, SharesAReadThatIsUnderWay) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  EXPECT_EQ(WordOf(edge.DoJoin(1, "ann", "a")), "ok");
  const int before = StoreReads();
  store_->Block(StoreCall::kReadEvents);
  edge.Send(TestEdge::Replay(1, "ann", 1, "a", 3));
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kReadEvents));
  for (uint64_t i = 2; i <= 50; ++i) {
    edge.Send(TestEdge::Replay(1, "ann", i, "a", 3 + static_cast<int64_t>(i % 7)));
  }
  EXPECT_EQ(edge.DoPost(1, "ann", "a", "11").post_message().seq(), 11);

  store_->Unblock(StoreCall::kReadEvents);

  for (uint64_t i = 2; i <= 50; ++i) {
    const v1::Result result = edge.stream().AwaitResult(i);
    ASSERT_EQ(WordOf(result), "ok");
    EXPECT_EQ(SeqsOf(result).front(), 4 + static_cast<int64_t>(i % 7));
    EXPECT_EQ(SeqsOf(result).back(), 11) << "was acknowledged before the page was read";
  }
  EXPECT_EQ(StoreReads(), before + 1);
  EXPECT_EQ(FromMemory(), 49u);
}

TEST_F(HotRoomTest, TellsAllWhoWaitThatTheStoreIsAway) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  EXPECT_EQ(WordOf(edge.DoJoin(1, "ann", "a")), "ok");
  store_->Block(StoreCall::kReadEvents);
  edge.Send(TestEdge::Replay(1, "ann", 1, "a", 3), TestEdge::Replay(1, "ann", 2, "a", 3));
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kReadEvents));
  store_->Fail(StoreCall::kReadEvents, absl::UnavailableError("away"));

  store_->Unblock(StoreCall::kReadEvents);

  EXPECT_EQ(WordOf(edge.stream().AwaitResult(1)), "UNAVAILABLE");
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(2)), "UNAVAILABLE");
  EXPECT_EQ(WordOf(Replay(edge, "ann", 3)), "ok");
}

TEST_F(HotRoomTest, TakesInWhatIsPosted) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  Replay(edge, "ann", 3);
  const int before = StoreReads();
  for (int64_t seq = 11; seq <= 900; ++seq) Post(seq);

  const v1::Result first = Replay(edge, "ann", 3);
  const v1::Result second = Replay(edge, "ann", 503);
  const v1::Result few = History(edge, "ann", 890, 3);

  EXPECT_EQ(first.history().events_size(), 500);
  EXPECT_TRUE(first.history().more());
  EXPECT_EQ(first.history().last_seq(), 900);
  EXPECT_EQ(SeqsOf(second).front(), 504);
  EXPECT_EQ(SeqsOf(second).back(), 900);
  EXPECT_FALSE(second.history().more());
  EXPECT_THAT(SeqsOf(few), ElementsAre(891, 892, 893));
  EXPECT_EQ(StoreReads(), before);
}

TEST_F(HotRoomTest, ReadsWhatIsFurtherBackPageByPage) {
  MakeLog(1200);
  TestEdge edge(*dispatcher_, "e1");

  const v1::Result far = Replay(edge, "ann", 1);  // 1,199 are missing.
  EXPECT_EQ(SeqsOf(far).front(), 2);
  EXPECT_EQ(WindowBytes(), 0);
  const v1::Result near = Replay(edge, "ann", 501);
  const int before = StoreReads();
  const v1::Result rest = Replay(edge, "ann", 1001);

  EXPECT_EQ(SeqsOf(near).back(), 1001);
  EXPECT_EQ(SeqsOf(rest).back(), 1200);
  EXPECT_EQ(StoreReads(), before);
}

TEST_F(HotRoomTest, KeepsNothingOfARoomThatNobodyReads) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  edge.DoJoin(1, "ann", "a");
  for (int i = 0; i < 20; ++i) edge.DoPost(1, "ann", "a", "x");
  edge.Do(TestEdge::History(1, "ann", 5, "a"));  // The newest page, not what was missed.
  Replay(edge, "ann", 30);                       // Nothing was.
  edge.DoPost(1, "ann", "a", "y");

  EXPECT_EQ(WindowBytes(), 0);

  Replay(edge, "ann", 20);
  edge.DoPost(1, "ann", "a", "z");
  EXPECT_GT(WindowBytes(), 0);
}

TEST_F(HotRoomTest, ForgetsAMessageThatIsEditedOrDeleted) {
  MakeLog(5);
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = edge.DoPost(1, "ann", "a", "before").post_message().message_id();
  Post(7);
  EXPECT_EQ(Replay(edge, "bob", 5).history().events(0).message_posted().content(), "before");

  EXPECT_EQ(WordOf(edge.Do(EditOf("ann", id, "after"))), "ok");
  const v1::Result edited = Replay(edge, "bob", 5);

  EXPECT_THAT(SeqsOf(edited), ElementsAre(6, 7, 8));
  EXPECT_EQ(edited.history().events(0).message_posted().content(), "after");
  EXPECT_EQ(edited.history().events(0).message_posted().edited_seq(), 8);

  EdgeCommand removal = TestEdge::Ask(1, "ann", 71);
  removal.command.mutable_delete_message()->set_room_id("a");
  removal.command.mutable_delete_message()->set_message_id(id);
  EXPECT_EQ(WordOf(edge.Do(std::move(removal))), "ok");
  const v1::Result deleted = Replay(edge, "bob", 5);

  EXPECT_THAT(SeqsOf(deleted), ElementsAre(6, 7, 8, 9));
  EXPECT_EQ(deleted.history().events(0).message_posted().content(), "");
  EXPECT_TRUE(deleted.history().events(0).message_posted().deleted());
  EXPECT_EQ(deleted.history().events(2).message_edited().content(), "");
}

TEST_F(HotRoomTest, DoesNotKeepAPageThatAnEditHasOvertaken) {
  MakeLog(5);
  TestEdge edge(*dispatcher_, "e1");
  const std::string id = edge.DoPost(1, "ann", "a", "before").post_message().message_id();
  Post(7);
  store_->Block(StoreCall::kReadEvents);
  edge.Send(TestEdge::Replay(1, "bob", 1, "a", 5));
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kReadEvents));
  EXPECT_EQ(WordOf(edge.Do(EditOf("ann", id, "after"))), "ok");
  edge.Send(TestEdge::Replay(1, "bob", 2, "a", 5));
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", "9")), "ok");
  const int before = StoreReads();

  store_->Unblock(StoreCall::kReadEvents);

  EXPECT_EQ(WordOf(edge.stream().AwaitResult(1)), "ok");
  const v1::Result late = edge.stream().AwaitResult(2);
  ASSERT_GE(late.history().events_size(), 3);
  EXPECT_EQ(late.history().events(0).message_posted().content(), "after");
  // Whether the first page is from before the edit, nobody knows.
  EXPECT_EQ(StoreReads(), before + 1);
}

TEST_F(HotRoomTest, ForgetsWhatIsErased) {
  MakeLog(5);
  TestEdge edge(*dispatcher_, "e1");
  edge.DoPost(1, "ann", "a", "hers");
  EXPECT_EQ(Replay(edge, "bob", 5).history().events(0).message_posted().content(), "hers");

  Awaited<bool> done;
  dispatcher_->EraseUser(UserId("ann"), {{}, "shop", "r"},
                         [answer = std::make_shared<Callback<bool>>(done.callback())](
                             const absl::StatusOr<EraseReport>& report) {
                           const bool is_last = !report.ok() || report->is_done;
                           if (is_last) (*answer)(report.ok());
                           return !is_last;
                         });
  ASSERT_TRUE(*done.Get());

  const v1::Result erased = Replay(edge, "bob", 5);
  EXPECT_EQ(erased.history().events(0).message_posted().content(), "");
  EXPECT_EQ(erased.history().events(0).actor().name(), "");
}

TEST_F(HotRoomTest, ForgetsWhatRetentionRemoves) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  EXPECT_THAT(SeqsOf(Replay(edge, "ann", 8)), ElementsAre(9, 10));
  EXPECT_EQ(SeqsOf(Replay(edge, "ann", 2)).front(), 3);

  Awaited<storage::Retention> answer;
  dispatcher_->SetRetention(RoomId("a"), {absl::ZeroDuration(), 2}, {{}, "shop", "r"}, Soon(),
                            answer.callback());
  ASSERT_TRUE(answer.Get().ok());

  std::string word = "ok";
  for (const Deadline end = Soon(); word == "ok" && std::chrono::steady_clock::now() < end;) {
    word = WordOf(Replay(edge, "ann", 2));
  }
  EXPECT_EQ(word, "RESYNC");
}

TEST_F(HotRoomTest, ForgetsWhatRetentionHasRemovedThoughTheAnswerWasLost) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  EXPECT_EQ(SeqsOf(Replay(edge, "ann", 2)).front(), 3);
  store_->LoseAnswer(StoreCall::kTrim);  // The second time it finds nothing to remove.

  Awaited<storage::Retention> answer;
  dispatcher_->SetRetention(RoomId("a"), {absl::ZeroDuration(), 2}, {{}, "shop", "r"}, Soon(),
                            answer.callback());
  ASSERT_TRUE(answer.Get().ok());

  std::string word = "ok";
  for (const Deadline end = Soon(); word == "ok" && std::chrono::steady_clock::now() < end;) {
    word = WordOf(Replay(edge, "ann", 2));
  }
  EXPECT_EQ(word, "RESYNC");
}

TEST_F(HotRoomTest, ForgetsWhatIsErasedBeforeItIsPublished) {
  MakeLog(5);
  TestEdge edge(*dispatcher_, "e1");
  EXPECT_EQ(SeqsOf(Replay(edge, "bob", 3)).back(), 5);
  store_->Block(StoreCall::kReadEventsAnswer);
  store_->LoseAnswer();
  edge.Send(TestEdge::Post(1, "ann", 1, "a", "one"));
  // It is stored, and is read as it is now; the next waits for that.
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kReadEventsAnswer));
  edge.Send(TestEdge::Post(1, "ann", 2, "a", "two"));
  EXPECT_EQ(WordOf(edge.DoJoin(2, "bob", "a")), "ok");  // So it is with the store.

  Awaited<bool> done;
  dispatcher_->EraseUser(UserId("ann"), {{}, "shop", "r"},
                         [answer = std::make_shared<Callback<bool>>(done.callback())](
                             const absl::StatusOr<EraseReport>& report) {
                           const bool is_last = !report.ok() || report->is_done;
                           if (is_last) (*answer)(report.ok());
                           return !is_last;
                         });
  ASSERT_TRUE(*done.Get());
  store_->Unblock(StoreCall::kReadEventsAnswer);

  EXPECT_EQ(edge.stream().AwaitResult(2).post_message().seq(), 7);
  const v1::Result erased = Replay(edge, "bob", 5);
  ASSERT_THAT(SeqsOf(erased), ElementsAre(6, 7));
  EXPECT_EQ(erased.history().events(0).message_posted().content(), "");
  EXPECT_EQ(erased.history().events(1).message_posted().content(), "");
}

TEST_F(HotRoomTest, KnowsNothingOfARoomThatWasThereBefore) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  Replay(edge, "ann", 3);
  EXPECT_TRUE(DeleteRoom("a").ok());
  EXPECT_EQ(WordOf(Replay(edge, "ann", 3)), "ROOM_NOT_FOUND");
  MakeRoom("a", {"ann"});

  EXPECT_EQ(WordOf(Replay(edge, "ann", 3)), "RESYNC");
  EXPECT_THAT(SeqsOf(Replay(edge, "ann", 10)), ElementsAre(11));
  EXPECT_EQ(WordOf(Replay(edge, "bob", 10)), "NOT_A_MEMBER");
}

// --- Who may have it (P5, P6).

TEST_F(HotRoomTest, ABanWhileAPageComesFromMemoryHolds) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  Replay(edge, "bob", 3);
  store_->Block(StoreCall::kIsActive);
  edge.Send(TestEdge::Replay(1, "bob", 101, "a", 3), HistoryBehind("bob", 102, 3, 50),
            TestEdge::Replay(1, "ann", 103, "a", 3));
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kIsActive));
  Awaited<storage::MemberRecord> banned;
  dispatcher_->ChangeMember(RoomId("a"), {}, {PersonChange::Kind::kBan, UserId("bob")}, Soon(),
                            banned.callback());
  ASSERT_TRUE(banned.Get().ok());  // 11
  Post(12);

  store_->Unblock(StoreCall::kIsActive);

  const v1::Result replayed = edge.stream().AwaitResult(101);
  EXPECT_EQ(SeqsOf(replayed).back(), 11) << "his removal is the last he gets of the room";
  EXPECT_FALSE(replayed.history().more());
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(102)), "BANNED");
  EXPECT_EQ(SeqsOf(edge.stream().AwaitResult(103)).back(), 12);
  EXPECT_EQ(WordOf(Replay(edge, "bob", 11)), "NOT_A_MEMBER");
  EXPECT_EQ(WordOf(History(edge, "eve", 3, 50)), "NOT_A_MEMBER");
}

TEST_F(HotRoomTest, ABanThatIsBeingStoredIsWaitedFor) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  Replay(edge, "bob", 3);
  store_->Block(StoreCall::kAppend);
  Awaited<storage::MemberRecord> banned;
  dispatcher_->ChangeMember(RoomId("a"), {}, {PersonChange::Kind::kBan, UserId("bob")}, Soon(),
                            banned.callback());
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kAppend));
  edge.Send(HistoryBehind("bob", 101, 3, 50));

  store_->Unblock(StoreCall::kAppend);

  ASSERT_TRUE(banned.Get().ok());
  EXPECT_EQ(WordOf(edge.stream().AwaitResult(101)), "BANNED");
}

// --- Another control that takes over.

TEST_F(HotRoomTest, GivesNothingFromMemoryOnceAnotherControlIsActive) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  Replay(edge, "ann", 3);
  EXPECT_EQ(WordOf(Replay(edge, "ann", 3)), "ok");
  const uint64_t before = FromMemory();

  store_->LoseLock();

  EXPECT_EQ(WordOf(Replay(edge, "ann", 3)), "UNAVAILABLE");
  EXPECT_EQ(FromMemory(), before);
}

TEST_F(HotRoomTest, GivesNothingFromMemoryWhileTheStoreCannotBeAsked) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  Replay(edge, "ann", 3);

  store_->FailAlways(StoreCall::kIsActive, absl::UnavailableError("away"));
  EXPECT_EQ(WordOf(Replay(edge, "ann", 3)), "UNAVAILABLE");
  store_->Heal();

  EXPECT_EQ(WordOf(Replay(edge, "ann", 3)), "ok");
  EXPECT_EQ(FromMemory(), 1u);
}

TEST_F(HotRoomTest, AsksTheStoreOnceForAllWhoWait) {
  MakeLog(10);
  TestEdge edge(*dispatcher_, "e1");
  Replay(edge, "ann", 3);
  const int before = store_->calls(StoreCall::kIsActive);
  store_->Block(StoreCall::kIsActive);
  edge.Send(TestEdge::Replay(1, "ann", 101, "a", 3));
  ASSERT_TRUE(store_->WaitUntilBlocked(StoreCall::kIsActive));
  for (uint64_t i = 102; i <= 120; ++i) edge.Send(TestEdge::Replay(1, "ann", i, "a", 3));
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", "11")), "ok");

  store_->Unblock(StoreCall::kIsActive);

  for (uint64_t i = 101; i <= 120; ++i) {
    EXPECT_EQ(SeqsOf(edge.stream().AwaitResult(i)).back(), 11);
  }
  // Who came while it was asked wants its word of a later moment.
  EXPECT_EQ(store_->calls(StoreCall::kIsActive), before + 2);
}

// --- Edges and tails.

TEST_F(HotRoomTest, EdgesThatComeBackAreGivenWhatOneOfThemRead) {
  MakeLog(10);
  TestEdge first(*dispatcher_, "e1", 1, {{RoomId("a"), 4, {UserId("ann")}}});
  ASSERT_TRUE(first.stream().AwaitLine("event 10 m10"));
  const int before = StoreReads();

  TestEdge second(*dispatcher_, "e2", 1, {{RoomId("a"), 7, {UserId("bob")}}});

  ASSERT_TRUE(second.stream().AwaitLine("event 10 m10"));
  EXPECT_THAT(second.stream().lines(), ElementsAre("event 8 m8", "event 9 m9", "event 10 m10"));
  Post(11);
  EXPECT_TRUE(second.stream().AwaitLine("event 11 m11"));
  EXPECT_EQ(StoreReads(), before);
}

}  // namespace
}  // namespace confab::control
