// Retention: applied step by step beside the traffic, and what clients are told of what is gone.
#include <gmock/gmock.h>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::Retention;
using storage::RoomId;
using storage::StoreCall;

class RetentionTest : public ControlBench {
 protected:
  absl::Status Retain(const std::string& room, const Retention& retention) {
    Awaited<Retention> answer;
    dispatcher_->SetRetention(RoomId(room), retention, {{}, "shop", "r"}, Soon(),
                              answer.callback());
    return answer.Get().status();
  }
  // The log when it has come to `events`; what it has after a long wait otherwise.
  size_t AwaitEvents(const std::string& room, size_t events) {
    const Deadline end = Soon();
    size_t found = List(room)->events.size();
    while (found != events && std::chrono::steady_clock::now() < end) {
      found = List(room)->events.size();
    }
    return found;
  }
};

TEST_F(RetentionTest, RemovesWhatIsNotToBeKeptWhileOthersPost) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  for (int i = 0; i < 300; ++i) edge.DoPost(1, "ann", "a", "x");

  ASSERT_TRUE(Retain("a", {absl::ZeroDuration(), 10}).ok());

  EXPECT_EQ(AwaitEvents("a", 10), 10u);
  EXPECT_EQ(WordOf(edge.DoPost(1, "ann", "a", "y")), "ok");
  EXPECT_EQ(List("a")->last_seq, 302);
}

TEST_F(RetentionTest, TellsWhoAsksForWhatIsGone) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  for (int i = 0; i < 5; ++i) edge.DoPost(1, "ann", "a", "x");
  ASSERT_TRUE(Retain("a", {absl::ZeroDuration(), 2}).ok());
  ASSERT_EQ(AwaitEvents("a", 2), 2u);

  EXPECT_EQ(WordOf(edge.Do(TestEdge::Replay(1, "ann", 1, "a", 2))), "RESYNC");
  EXPECT_EQ(WordOf(edge.Do(TestEdge::Replay(1, "ann", 2, "a", 4))), "ok");
  const v1::HistoryPage page = edge.Do(TestEdge::History(1, "ann", 3, "a")).history();
  EXPECT_EQ(page.events_size(), 2);
  EXPECT_FALSE(page.more());
}

TEST_F(RetentionTest, EndsTheSubscriptionsOfAnEdgeThatWasAwayForTooLong) {
  MakeRoom("a", {"ann"});
  TestEdge poster(*dispatcher_, "e1");
  for (int i = 0; i < 5; ++i) poster.DoPost(1, "ann", "a", "x");
  ASSERT_TRUE(Retain("a", {absl::ZeroDuration(), 2}).ok());
  ASSERT_EQ(AwaitEvents("a", 2), 2u);

  TestEdge late(*dispatcher_, "e2", 1, {{RoomId("a"), 2, {storage::UserId("ann")}}});
  TestEdge in_time(*dispatcher_, "e3", 1, {{RoomId("a"), 4, {storage::UserId("ann")}}});

  EXPECT_TRUE(late.stream().AwaitLine("unsubscribe room:a everybody 0"));
  EXPECT_TRUE(in_time.stream().AwaitLine("event 6 x"));
}

TEST_F(RetentionTest, RefusesSettingsThatMakeNoSense) {
  MakeRoom("a", {"ann"});
  EXPECT_EQ(ReasonOf(Retain("a", {absl::Seconds(59), 0})), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonOf(Retain("a", {absl::ZeroDuration(), -1})), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonOf(Retain("b", {absl::Hours(1), 0})), v1::REASON_ROOM_NOT_FOUND);
  EXPECT_TRUE(Retain("a", {absl::Hours(1), 7}).ok());
  EXPECT_EQ(*store_->ReadRetention(RoomId("a")), (Retention{absl::Hours(1), 7}));
}

TEST_F(RetentionTest, RecordsWhoSetIt) {
  MakeRoom("a", {"ann"});
  ASSERT_TRUE(Retain("a", {absl::Hours(1), 7}).ok());
  ASSERT_FALSE(Retain("b", {absl::Hours(1), 7}).ok());

  const auto records = store_->ListAudit({});

  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->at(0).note.act, "room.retention");
  EXPECT_EQ(records->at(0).room, RoomId("a"));
  EXPECT_EQ(records->at(0).note.service, "shop");
  EXPECT_EQ(records->at(0).note.request_id, "r");
}

TEST_F(RetentionTest, GoesOnAfterTheStoreWasAway) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  for (int i = 0; i < 5; ++i) edge.DoPost(1, "ann", "a", "x");
  store_->Fail(StoreCall::kTrim, absl::UnavailableError("away"), 1, 2);
  store_->Fail(StoreCall::kListRetained, absl::UnavailableError("away"), 1, 2);

  ASSERT_TRUE(Retain("a", {absl::ZeroDuration(), 2}).ok());

  EXPECT_EQ(AwaitEvents("a", 2), 2u);
}

}  // namespace
}  // namespace confab::control
