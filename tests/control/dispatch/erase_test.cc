// Erasing what a user has written: in every room, step by step, and on record.
#include <gmock/gmock.h>

#include "tests/control/dispatch/control_bench.h"

namespace confab::control {
namespace {

using storage::RoomId;
using storage::StoreCall;
using storage::UserId;

class EraseTest : public ControlBench {
 protected:
  // Its last report, or what failed.
  absl::StatusOr<EraseReport> Erase(const std::string& user) {
    Awaited<EraseReport> last;
    dispatcher_->EraseUser(UserId(user), {{}, "shop", "r"},
                           [done = std::make_shared<Callback<EraseReport>>(last.callback())](
                               absl::StatusOr<EraseReport> report) {
                             const bool is_last = !report.ok() || report->is_done;
                             if (is_last) (*done)(std::move(report));
                             return !is_last;
                           });
    return last.Get();
  }
  // Contents of the user's messages.
  std::vector<std::string> ContentsOf(const std::string& user, const std::string& room) {
    std::vector<std::string> contents;
    const auto page = List(room);
    for (const storage::EventRecord& record : page->events) {
      if (record.event.kind != storage::EventKind::kMessagePosted) continue;
      if (record.event.actor.id.value == user) contents.push_back(record.event.content);
    }
    return contents;
  }
  // Acts with their subject, newest first.
  std::vector<std::string> Acts() {
    std::vector<std::string> acts;
    const auto records = store_->ListAudit({.subject = UserId("ann")});
    for (const storage::AuditRecord& record : *records) {
      acts.push_back(record.note.act + " " + record.note.service);
    }
    return acts;
  }
};

TEST_F(EraseTest, EmptiesWhatTheUserHasWrittenInEveryRoom) {
  TestEdge edge(*dispatcher_, "e1");
  for (const std::string room : {"a", "b"}) {
    MakeRoom(room, {"ann", "bob"});
    for (int i = 0; i < 150; ++i) edge.DoPost(1, "ann", room, "hers");
    edge.DoPost(1, "bob", room, "his");
  }

  const auto report = Erase("ann");

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->rooms, 2);
  EXPECT_EQ(report->rooms_total, 2);
  EXPECT_EQ(report->messages, 300);
  for (const std::string room : {"a", "b"}) {
    EXPECT_THAT(ContentsOf("ann", room), testing::Each(""));
    EXPECT_THAT(ContentsOf("bob", room), testing::ElementsAre("his"));
  }
}

TEST_F(EraseTest, IsRecordedBeforeAnythingIsGone) {
  MakeRoom("a", {"ann"});
  TestEdge edge(*dispatcher_, "e1");
  edge.DoPost(1, "ann", "a", "hers");
  store_->Fail(StoreCall::kErase, absl::InvalidArgumentError("broken"));

  EXPECT_FALSE(Erase("ann").ok());
  EXPECT_THAT(Acts(), testing::ElementsAre("user.erase shop"));
  EXPECT_THAT(ContentsOf("ann", "a"), testing::ElementsAre("hers"));

  store_->Fail(StoreCall::kWriteAudit, absl::InvalidArgumentError("broken"));
  EXPECT_FALSE(Erase("ann").ok());
  EXPECT_THAT(ContentsOf("ann", "a"), testing::ElementsAre("hers"));

  EXPECT_TRUE(Erase("ann").ok());
  EXPECT_THAT(ContentsOf("ann", "a"), testing::ElementsAre(""));
}

}  // namespace
}  // namespace confab::control
