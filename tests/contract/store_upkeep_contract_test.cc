// What every store owes retention and erasing.
#include <string>

#include <gmock/gmock.h>

#include "tests/contract/store_backends.h"

namespace confab::storage {
namespace {

using Kind = AppendOutcome::Kind;

class StoreUpkeep : public StoreContract {
 protected:
  // Ann and bob in room a, then ten messages of ann's: seq 3 to 12, keys "3" to "12".
  void CreateRoom() {
    Create("a", {{UserId("ann"), Role::kOwner}, {UserId("bob"), Role::kMember}});
    std::vector<AppendRequest> batch;
    for (int seq = 3; seq <= 12; ++seq) batch.push_back(Post("a", 2, std::to_string(seq)));
    Append(batch);
  }
  void Retain(absl::Duration max_age, int64_t max_messages) {
    EXPECT_TRUE(writer_->SetRetention(RoomId("a"), {max_age, max_messages}, nullptr).ok());
  }
  // Until nothing is left to do; how many steps that took.
  int TrimAll(int32_t rows) {
    for (int steps = 1; steps < 100; ++steps) {
      const auto step = writer_->Trim(RoomId("a"), rows);
      EXPECT_TRUE(step.ok()) << step.status();
      if (!step.ok() || step->is_done) return steps;
    }
    ADD_FAILURE() << "trimming does not end";
    return 0;
  }
  std::vector<int64_t> Seqs(const EventPage& page) {
    std::vector<int64_t> seqs;
    for (const EventRecord& event : page.events) seqs.push_back(event.seq);
    return seqs;
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, StoreUpkeep, testing::ValuesIn(AllBackends()), BackendName);

TEST_P(StoreUpkeep, KeepsTheNewestMessages) {
  CreateRoom();
  Retain(absl::ZeroDuration(), 3);

  EXPECT_GE(TrimAll(4), 3);

  const EventPage page = ReadAll("a");
  EXPECT_THAT(Seqs(page), testing::ElementsAre(10, 11, 12));
  EXPECT_EQ(page.last_seq, 12);
  EXPECT_FALSE(page.more);
  EXPECT_EQ(AppendOne(Post("a", 2, "13")).first_seq, 13);
  TrimAll(4);
  EXPECT_THAT(Seqs(ReadAll("a")), testing::ElementsAre(11, 12, 13));
  EXPECT_EQ(Pair("a", "bob").role, Role::kMember);
}

TEST_P(StoreUpkeep, KeepsWhatIsYoungEnough) {
  CreateRoom();
  Retain(absl::Hours(1), 0);
  TrimAll(100);
  EXPECT_EQ(ReadAll("a").events.size(), 12u);

  Retain(absl::Microseconds(1), 0);
  TrimAll(5);

  EXPECT_TRUE(ReadAll("a").events.empty());
  EXPECT_EQ(ReadAll("a").last_seq, 12);
  EXPECT_FALSE(ReadAll("a").more);
  EXPECT_EQ(AppendOne(Post("a", 2, "13")).first_seq, 13);
}

TEST_P(StoreUpkeep, RemovesNothingUnlessAsked) {
  CreateRoom();
  EXPECT_EQ(TrimAll(100), 1);
  EXPECT_EQ(ReadAll("a").events.size(), 12u);
}

TEST_P(StoreUpkeep, RecognisesRetriesOfWhatItRemoved) {
  CreateRoom();
  Retain(absl::ZeroDuration(), 1);
  TrimAll(100);

  const auto retry = AppendOne(Post("a", 2, "5"));

  EXPECT_EQ(retry.kind, Kind::kDuplicate);
  EXPECT_EQ(retry.first_seq, 5);
  EXPECT_EQ(retry.message_id, "id-of-5");
  AppendRequest answer = Post("a", 2, "answer");
  answer.events[0].reply_to = "id-of-5";
  EXPECT_EQ(AppendOne(answer).kind, Kind::kNoTarget);
}

TEST_P(StoreUpkeep, ReadsPagesThatEndWhereTheLogBegins) {
  CreateRoom();
  Retain(absl::ZeroDuration(), 4);
  TrimAll(100);
  EventQuery query;
  query.room = RoomId("a");
  query.before_seq = 11;

  const auto back = store_->ReadEvents(query);
  query.before_seq = 5;
  const auto gone = store_->ReadEvents(query);
  query.before_seq = -1;
  query.after_seq = 3;
  const auto forward = store_->ReadEvents(query);
  query.after_seq = -1;
  query.since = absl::UnixEpoch();
  const auto since = store_->ReadEvents(query);

  ASSERT_TRUE(back.ok() && gone.ok() && forward.ok() && since.ok());
  EXPECT_THAT(Seqs(*back), testing::ElementsAre(9, 10));
  EXPECT_FALSE(back->more);
  EXPECT_TRUE(gone->events.empty());
  EXPECT_FALSE(gone->more);
  EXPECT_THAT(Seqs(*forward), testing::ElementsAre(9, 10, 11, 12));
  EXPECT_THAT(Seqs(*since), testing::ElementsAre(9, 10, 11, 12));
}

TEST_P(StoreUpkeep, CountsAsUnreadOnlyWhatIsKept) {
  CreateRoom();
  Retain(absl::ZeroDuration(), 4);
  TrimAll(3);

  EXPECT_EQ(store_->ListMemberships(UserId("bob"), RoomId(""), 10)->at(0).read,
            (ReadPosition{2, 4}));
  const auto moved = writer_->MovePointers({{{RoomId("a"), UserId("bob"), 4, true}}});
  EXPECT_EQ(moved->at(0).position, (ReadPosition{4, 4}));
  EXPECT_EQ(store_->ReadPositionAt(RoomId("a"), 3)->unread, 4);
  EXPECT_EQ(store_->ReadPositionAt(RoomId("a"), 10)->unread, 2);
}

TEST_P(StoreUpkeep, ListsRoomsThatDoNotKeepEverything) {
  for (const std::string id : {"a", "b", "c"}) Create(id);
  ASSERT_TRUE(writer_->SetRetention(RoomId("a"), {absl::Hours(1), 0}, nullptr).ok());
  ASSERT_TRUE(writer_->SetRetention(RoomId("c"), {absl::Hours(2), 7}, nullptr).ok());

  EXPECT_THAT(*store_->ListRetained(RoomId(""), 10),
              testing::ElementsAre(RoomId("a"), RoomId("c")));
  EXPECT_THAT(*store_->ListRetained(RoomId("a"), 10), testing::ElementsAre(RoomId("c")));
  EXPECT_EQ(*store_->ReadRetention(RoomId("c")), (Retention{absl::Hours(2), 7}));
  EXPECT_EQ(*store_->ReadRetention(RoomId("b")), Retention{});
  ASSERT_TRUE(writer_->SetRetention(RoomId("c"), {}, nullptr).ok());
  EXPECT_THAT(*store_->ListRetained(RoomId(""), 10), testing::ElementsAre(RoomId("a")));
  EXPECT_TRUE(absl::IsNotFound(writer_->SetRetention(RoomId("d"), {}, nullptr)));
  EXPECT_TRUE(absl::IsNotFound(store_->ReadRetention(RoomId("d")).status()));
  EXPECT_TRUE(absl::IsNotFound(writer_->Trim(RoomId("d"), 10).status()));
}

TEST_P(StoreUpkeep, ErasesWhatOneUserWroteStepByStep) {
  CreateRoom();
  AppendRequest bobs = Post("a", 2, "bob's", "stays");
  bobs.events[0].actor = {UserId("bob"), "Bob", "bob@example.org"};
  AppendOne(bobs);
  AppendOne(Change("a", 2, EventKind::kMemberRemoved, "ann", Role::kNone, "r"));

  int64_t messages = 0;
  EraseStep step{0, 0, false};
  for (int steps = 0; !step.is_done && steps < 100; ++steps) {
    const auto next = writer_->Erase(RoomId("a"), UserId("ann"), step.next_seq, 5);
    ASSERT_TRUE(next.ok()) << next.status();
    step = *next;
    messages += step.messages;
  }

  EXPECT_EQ(messages, 10);
  const EventPage page = ReadAll("a");
  ASSERT_EQ(page.events.size(), 14u);
  for (size_t i = 2; i < 12; ++i) {
    EXPECT_EQ(page.events[i].event.content, "");
    EXPECT_EQ(page.events[i].event.actor, (Actor{UserId("ann"), "", ""}));
    EXPECT_TRUE(page.events[i].marks.is_deleted);
  }
  EXPECT_EQ(page.events[12].event.content, "stays");
  EXPECT_EQ(page.events[12].event.actor.name, "Bob");
  EXPECT_EQ(AppendOne(Post("a", 14, "5")).kind, Kind::kDuplicate);
  EXPECT_EQ(store_->ListMemberships(UserId("bob"), RoomId(""), 10)->at(0).read.unread, 1);
}

TEST_P(StoreUpkeep, ListsEveryRoomAUserEverWasIn) {
  for (const std::string id : {"a", "b", "c", "d"}) {
    Create(id, {{UserId(id == "c" ? "bob" : "ann"), Role::kOwner}});
  }
  AppendOne(Change("b", 1, EventKind::kMemberRemoved, "ann", Role::kNone, "r"));

  EXPECT_THAT(*store_->ListRoomsEver(UserId("ann"), RoomId(""), 2),
              testing::ElementsAre(RoomId("a"), RoomId("b")));
  EXPECT_THAT(*store_->ListRoomsEver(UserId("ann"), RoomId("b"), 2),
              testing::ElementsAre(RoomId("d")));
}

}  // namespace
}  // namespace confab::storage
