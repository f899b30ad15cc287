// What every store owes its readers, and who may write: pages, lists, the active lock.
#include <string>

#include <gmock/gmock.h>

#include "tests/contract/store_backends.h"

namespace confab::storage {
namespace {

class StoreReads : public StoreContract {
 protected:
  // Events 1 (ann is added) to 10, with 100 bytes of content each.
  void Fill() {
    Create("a");
    std::vector<AppendRequest> batch;
    for (int i = 2; i <= 10; ++i) {
      batch.push_back(Post("a", 1, "k" + std::to_string(i), std::string(100, 'x')));
    }
    Append(batch);
  }

  EventPage Read(int64_t after, int64_t before, int32_t limit, int32_t bytes_limit = 100'000) {
    auto page = store_->ReadEvents({RoomId("a"), after, before, limit, bytes_limit});
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? *std::move(page) : EventPage{};
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreReads, testing::ValuesIn(AllBackends()), BackendName);

void ExpectPage(const EventPage& page, int64_t first, int64_t last, bool more) {
  ASSERT_EQ(page.events.size(), static_cast<size_t>(last - first + 1));
  for (size_t i = 0; i < page.events.size(); ++i) {
    EXPECT_EQ(page.events[i].seq, first + static_cast<int64_t>(i));
  }
  EXPECT_EQ(page.more, more);
  EXPECT_EQ(page.last_seq, 10);
  EXPECT_EQ(page.member_seq, 1);
}

TEST_P(StoreReads, PagesForwardFromASeq) {
  Fill();

  ExpectPage(Read(0, -1, 4), 1, 4, true);
  ExpectPage(Read(4, -1, 4), 5, 8, true);
  ExpectPage(Read(8, -1, 4), 9, 10, false);
  ExpectPage(Read(6, -1, 4), 7, 10, false);
  ExpectPage(Read(10, -1, 4), 11, 10, false);
  ExpectPage(Read(99, -1, 4), 11, 10, false);
}

TEST_P(StoreReads, PagesBackwardFromASeqAndFromTheEnd) {
  Fill();

  ExpectPage(Read(-1, -1, 4), 7, 10, true);
  ExpectPage(Read(-1, 7, 4), 3, 6, true);
  ExpectPage(Read(-1, 3, 4), 1, 2, false);
  ExpectPage(Read(-1, 5, 4), 1, 4, false);
  ExpectPage(Read(-1, 1, 4), 1, 0, false);
  ExpectPage(Read(-1, 99, 4), 7, 10, true);
}

TEST_P(StoreReads, APageEndsAtItsBytesButHoldsAtLeastOneEvent) {
  Fill();

  ExpectPage(Read(1, -1, 50, 350), 2, 4, true);
  ExpectPage(Read(1, -1, 50, 300), 2, 4, true);
  ExpectPage(Read(1, -1, 50, 1), 2, 2, true);
  ExpectPage(Read(-1, -1, 50, 250), 9, 10, true);
  ExpectPage(Read(-1, 3, 50, 1), 2, 2, true);
}

TEST_P(StoreReads, APagesBytesAreThoseOfContentBodyAndMentions) {
  Create("a");
  std::vector<AppendRequest> batch;
  for (int i = 2; i <= 10; ++i) {
    batch.push_back(Post("a", 1, "k" + std::to_string(i), std::string(40, 'x')));
    batch.back().events[0].body = "\"" + std::string(28, 'y') + "\"";
    // Each is stored as "13:" and the id: 32 bytes.
    batch.back().events[0].mentions = {UserId("thirteen-byte"), UserId("thirteen-more")};
  }
  Append(batch);

  ExpectPage(Read(1, -1, 50, 306), 2, 4, true);
  ExpectPage(Read(1, -1, 50, 305), 2, 3, true);
  ExpectPage(Read(-1, -1, 50, 204), 9, 10, true);
  ExpectPage(Read(-1, -1, 50, 203), 10, 10, true);
}

TEST_P(StoreReads, AnUnknownRoomIsNotFound) {
  EXPECT_EQ(store_->ReadEvents({RoomId("none"), 0, -1, 5, 500}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->ReadRoom(RoomId("none"), {UserId("ann")}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(
      store_->ListMembers(RoomId("none"), MemberFilter::kMembers, UserId(), 5).status().code(),
      absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->CountMembers(RoomId("none")).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(StoreReads, ReadsARoomWithTheAskedPairsInTheAskedOrder) {
  Create("a", {{UserId("ann"), Role::kOwner}, {UserId("bob"), Role::kReader}});

  const auto snapshot =
      store_->ReadRoom(RoomId("a"), {UserId("bob"), UserId("stranger"), UserId("ann")});

  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->room.topic, "about a");
  EXPECT_EQ(snapshot->room.last_seq, 2);
  EXPECT_GT(snapshot->room.created_at, absl::UnixEpoch());
  ASSERT_EQ(snapshot->members.size(), 3u);
  EXPECT_EQ(snapshot->members[0].user, UserId("bob"));
  EXPECT_EQ(snapshot->members[0].role, Role::kReader);
  EXPECT_EQ(snapshot->members[1].user, UserId("stranger"));
  EXPECT_EQ(snapshot->members[1].role, Role::kNone);
  EXPECT_EQ(snapshot->members[2].changed_seq, 1);
}

TEST_P(StoreReads, ReadsARoomWithoutMembers) {
  Create("a", {});

  const auto snapshot = store_->ReadRoom(RoomId("a"), {});

  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->room.last_seq, 0);
  EXPECT_EQ(*store_->CountMembers(RoomId("a")), 0);
  EXPECT_TRUE(ReadAll("a").events.empty());
}

TEST_P(StoreReads, ListsRoomsByIdInPages) {
  for (const char* id : {"b", "a", "Z", "\xC3\xA9", "10", "9"}) Create(id);

  const auto first = store_->ListRooms(RoomId(), UserId(), 4);
  const auto rest = store_->ListRooms(first->back().id, UserId(), 4);

  std::vector<std::string> ids;
  for (const auto& part : {first, rest}) {
    for (const RoomRecord& room : *part) ids.push_back(room.id.value);
  }
  EXPECT_THAT(ids, testing::ElementsAre("10", "9", "Z", "a", "b", "\xC3\xA9"));
}

TEST_P(StoreReads, ListsTheRoomsOfAMember) {
  Create("a", {{UserId("ann"), Role::kOwner}});
  Create("b", {{UserId("bob"), Role::kOwner}});
  Create("c", {{UserId("ann"), Role::kOwner}, {UserId("bob"), Role::kReader}});
  AppendOne(Change("a", 1, EventKind::kMemberRemoved, "ann", Role::kNone, "remove"));

  const auto rooms = store_->ListRooms(RoomId(), UserId("ann"), 10);

  ASSERT_TRUE(rooms.ok()) << rooms.status();
  ASSERT_EQ(rooms->size(), 1u);
  EXPECT_EQ(rooms->front().id, RoomId("c"));
  EXPECT_TRUE(store_->ListRooms(RoomId("c"), UserId("ann"), 10)->empty());
}

TEST_P(StoreReads, ListsPresentMembersByIdInPages) {
  Create("a", {{UserId("d"), Role::kOwner},
               {UserId("B"), Role::kMember},
               {UserId("a"), Role::kReader},
               {UserId("c"), Role::kMember}});
  AppendOne(Change("a", 4, EventKind::kMemberRemoved, "c", Role::kNone, "remove"));

  const auto first = store_->ListMembers(RoomId("a"), MemberFilter::kMembers, UserId(), 2);
  const auto rest = store_->ListMembers(RoomId("a"), MemberFilter::kMembers, UserId("a"), 2);

  ASSERT_TRUE(first.ok() && rest.ok());
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ((*first)[0].user, UserId("B"));
  EXPECT_EQ((*first)[1].user, UserId("a"));
  EXPECT_EQ((*first)[1].role, Role::kReader);
  ASSERT_EQ(rest->size(), 1u);
  EXPECT_EQ((*rest)[0].user, UserId("d"));
  EXPECT_EQ(*store_->CountMembers(RoomId("a")), 3);
}

TEST_P(StoreReads, OneStoreIsActiveAndTheNextTakesOver) {
  const auto second = backend_->Open();
  EXPECT_FALSE(*second->TryBecomeActive());
  EXPECT_FALSE(*second->IsActive());
  EXPECT_EQ(second->OpenWriter().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(*store_->IsActive());
  EXPECT_TRUE(*store_->TryBecomeActive());
  Create("a");
  EXPECT_TRUE(second->ReadRoom(RoomId("a"), {}).ok());

  writer_.reset();
  store_.reset();

  EXPECT_TRUE(BecomesActive(*second));
  EXPECT_TRUE(*second->IsActive());
  auto writer = second->OpenWriter();
  ASSERT_TRUE(writer.ok()) << writer.status();
  EXPECT_EQ((*writer)->Append({Post("a", 1, "k")})->at(0).first_seq, 2);
}

TEST_P(StoreReads, AnswersAPing) { EXPECT_TRUE(store_->Ping().ok()); }

}  // namespace
}  // namespace confab::storage
