// What every store owes its writer: Append, CreateRoom, DeleteRoom.
#include <set>
#include <string>
#include <thread>

#include <gmock/gmock.h>

#include "tests/contract/store_backends.h"

namespace confab::storage {
namespace {

using Kind = AppendOutcome::Kind;

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, testing::ValuesIn(AllBackends()), BackendName);

std::vector<int64_t> Seqs(const EventPage& page) {
  std::vector<int64_t> seqs;
  for (const EventRecord& event : page.events) seqs.push_back(event.seq);
  return seqs;
}

void ExpectContiguous(const EventPage& page) {
  for (size_t i = 0; i < page.events.size(); ++i) {
    ASSERT_EQ(page.events[i].seq, page.events[0].seq + static_cast<int64_t>(i));
    if (i > 0) {
      ASSERT_GE(page.events[i].created_at, page.events[i - 1].created_at);
    }
  }
}

TEST_P(StoreContract, NumbersEachRoomInTheOrderOfTheBatch) {
  Create("a");
  Create("b");

  const auto outcomes = Append({Post("a", 1, "k1"), Post("b", 1, "k1"), Post("a", 1, "k2"),
                                Post("b", 1, "k2"), Post("a", 1, "k3")});

  std::vector<int64_t> seqs;
  for (const auto& outcome : outcomes) {
    EXPECT_EQ(outcome.kind, Kind::kStored);
    seqs.push_back(outcome.first_seq);
  }
  EXPECT_THAT(seqs, testing::ElementsAre(2, 2, 3, 3, 4));
  EXPECT_THAT(Seqs(ReadAll("a")), testing::ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(ReadAll("a").events[2].event.dedup.key, "k2");
  EXPECT_EQ(ReadAll("b").last_seq, 3);
}

TEST_P(StoreContract, GivesBackEveryFieldAsItWasStored) {
  Create("a");
  AppendOne(Post("a", 1, "earlier"));
  NewEvent event = MessageEvent("ann", "k");
  event.reply_to = "id-of-earlier";
  event.type = "poll";
  event.body = R"({ "options" : ["tea", 1.50] })";
  event.mentions = {UserId("bob"), UserId("3:cy\n")};
  event.dedup.space = DedupKey::Space::kEdge;

  const auto outcome = AppendOne({RoomId("a"), 1, {event}});

  const EventRecord read = ReadAll("a").events.at(2);
  EXPECT_EQ(read.event, event);
  EXPECT_EQ(read.marks, MessageMarks{});
  EXPECT_EQ(read.room, RoomId("a"));
  EXPECT_EQ(read.created_at, outcome.created_at);
  EXPECT_EQ(outcome.message_id, event.message_id);
  EXPECT_EQ(outcome.member_seq, 1);
  EXPECT_LT(absl::AbsDuration(outcome.created_at - absl::Now()), absl::Minutes(5));
}

TEST_P(StoreContract, KeepsTextOfEveryKind) {
  Create("a");
  const std::vector<std::string> texts = {
      "",
      "NULL",
      "null",
      "{}",
      "{a,b}",
      "a,b",
      "\"quoted\"",
      "it's",
      "back\\slash",
      "\\",
      "\\\\\"",
      "two\nlines\t",
      " spaced ",
      "\\N",
      "\xF0\x9F\x98\x80 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80",
      "z\xC3\xBC rich",
      "$1 %s ; --"};
  std::vector<AppendRequest> batch;
  for (const std::string& text : texts) {
    batch.push_back(Post("a", 1, "key " + text, text));
    batch.back().events[0].actor.name = text;
    batch.back().events[0].body = text;
  }

  Append(batch);
  const auto again = Append(batch);

  const EventPage page = ReadAll("a");
  ASSERT_EQ(page.events.size(), texts.size() + 1);
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(page.events[i + 1].event, batch[i].events[0]) << texts[i];
    EXPECT_EQ(again[i].kind, Kind::kDuplicate) << texts[i];
  }
}

TEST_P(StoreContract, TakesEveryIdThatIsText) {
  for (const std::string id : {"1", "game_42", "{NULL}", "a\"b\\c", "\xF0\x9F\x98\x80", "NULL"}) {
    Create(id, {{UserId(id), Role::kMember}});

    EXPECT_EQ(AppendOne(Post(id, 1, id)).kind, Kind::kStored) << id;
    EXPECT_EQ(Pair(id, id).role, Role::kMember) << id;
  }
}

TEST_P(StoreContract, RecognisesARetryWithinABatch) {
  Create("a");

  const auto outcomes =
      Append({Post("a", 1, "k", "first"), Post("a", 1, "k", "second"), Post("a", 1, "other")});

  EXPECT_EQ(outcomes[0].kind, Kind::kStored);
  EXPECT_EQ(outcomes[1].kind, Kind::kDuplicate);
  EXPECT_EQ(outcomes[1].first_seq, outcomes[0].first_seq);
  EXPECT_EQ(outcomes[1].message_id, outcomes[0].message_id);
  EXPECT_EQ(outcomes[1].created_at, outcomes[0].created_at);
  EXPECT_EQ(outcomes[2].first_seq, 3);
  EXPECT_EQ(ReadAll("a").events[1].event.content, "first");
}

TEST_P(StoreContract, RecognisesARetryAcrossBatchesAndAfterReopening) {
  Create("a");
  const auto first = AppendOne(Post("a", 1, "k"));
  AppendRequest retry = Post("a", 1, "k", "changed");
  retry.events[0].message_id = "another id";

  const auto second = AppendOne(retry);
  Reopen();
  const auto third = AppendOne(retry);

  for (const auto& outcome : {second, third}) {
    EXPECT_EQ(outcome.kind, Kind::kDuplicate);
    EXPECT_EQ(outcome.first_seq, first.first_seq);
    EXPECT_EQ(outcome.message_id, first.message_id);
    EXPECT_EQ(outcome.created_at, first.created_at);
    EXPECT_EQ(outcome.member_seq, 1);
  }
  EXPECT_EQ(ReadAll("a").last_seq, 2);
}

TEST_P(StoreContract, TellsKeysOfOtherActorsSpacesAndRoomsApart) {
  Create("a");
  Create("b");
  AppendRequest other_actor = Post("a", 1, "k");
  other_actor.events[0].actor.id = UserId("bob");
  AppendRequest other_space = Post("a", 1, "k");
  other_space.events[0].dedup.space = DedupKey::Space::kEdge;

  const auto outcomes =
      Append({Post("a", 1, "k"), other_actor, other_space, Post("b", 1, "k"), Post("a", 1, "K")});

  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.kind, Kind::kStored);
}

TEST_P(StoreContract, RefusesWhatWasDecidedWithAnOlderMemberList) {
  Create("a");
  AppendOne(Change("a", 1, EventKind::kMemberAdded, "bob", Role::kMember, "add bob"));

  const auto outcomes = Append({Post("a", 1, "old"), Post("a", 2, "new")});

  EXPECT_EQ(outcomes[0].kind, Kind::kStaleMembers);
  EXPECT_EQ(outcomes[0].member_seq, 2);
  EXPECT_EQ(outcomes[1].kind, Kind::kStored);
  EXPECT_EQ(outcomes[1].first_seq, 3);
}

TEST_P(StoreContract, RecognisesARetryBeforeItComparesTheMemberList) {
  Create("a");
  const auto first = AppendOne(Post("a", 1, "k"));
  AppendOne(Change("a", 1, EventKind::kMemberRemoved, "ann", Role::kNone, "remove ann"));

  const auto retry = AppendOne(Post("a", 1, "k"));

  EXPECT_EQ(retry.kind, Kind::kDuplicate);
  EXPECT_EQ(retry.first_seq, first.first_seq);
  EXPECT_EQ(retry.member_seq, 3);
}

TEST_P(StoreContract, AMembershipEventMakesLaterRequestsOfItsBatchStale) {
  Create("a");

  const auto outcomes =
      Append({Post("a", 1, "before"),
              Change("a", 1, EventKind::kMemberRemoved, "ann", Role::kNone, "remove ann"),
              Post("a", 1, "after")});

  EXPECT_EQ(outcomes[0].kind, Kind::kStored);
  EXPECT_EQ(outcomes[1].kind, Kind::kStored);
  EXPECT_EQ(outcomes[1].member_seq, 3);
  EXPECT_EQ(outcomes[2].kind, Kind::kStaleMembers);
  EXPECT_EQ(MemberSeq("a"), 3);
}

TEST_P(StoreContract, AnUnknownRoomConcernsItsOwnRequestsAlone) {
  Create("a");

  const auto outcomes = Append({Post("none", 0, "k"), Post("a", 1, "k"), Post("none", 0, "k")});

  EXPECT_EQ(outcomes[0].kind, Kind::kRoomNotFound);
  EXPECT_EQ(outcomes[1].kind, Kind::kStored);
  EXPECT_EQ(outcomes[2].kind, Kind::kRoomNotFound);
}

TEST_P(StoreContract, AppendsTheEventsOfOneRequestTogetherOrNotAtAll) {
  Create("a");
  AppendRequest both = {RoomId("a"),
                        1,
                        {MemberEvent(EventKind::kMemberAdded, "bob", Role::kMember, "k/0"),
                         MemberEvent(EventKind::kMemberAdded, "cy", Role::kReader, "k/1")}};
  AppendRequest stale = both;
  stale.expected_member_seq = 0;

  const auto refused = AppendOne(stale);
  const auto stored = AppendOne(both);
  const auto retried = AppendOne(both);

  EXPECT_EQ(refused.kind, Kind::kStaleMembers);
  EXPECT_EQ(stored.first_seq, 2);
  EXPECT_EQ(stored.member_seq, 3);
  EXPECT_EQ(retried.kind, Kind::kDuplicate);
  EXPECT_EQ(retried.first_seq, 2);
  EXPECT_THAT(Seqs(ReadAll("a")), testing::ElementsAre(1, 2, 3));
  EXPECT_EQ(Pair("a", "cy").changed_seq, 3);
}

TEST_P(StoreContract, AFurtherKeyThatIsTakenRefusesTheWholeBatch) {
  Create("a");
  AppendOne(Post("a", 1, "taken"));
  const AppendRequest clash = {
      RoomId("a"), 1, {MessageEvent("ann", "new"), MessageEvent("ann", "taken")}};

  const auto outcomes = writer_->Append({Post("a", 1, "innocent"), clash});

  EXPECT_EQ(outcomes.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadAll("a").last_seq, 2);
  EXPECT_EQ(AppendOne(Post("a", 1, "innocent")).first_seq, 3);
}

TEST_P(StoreContract, TextThatCannotBeStoredRefusesTheWholeBatch) {
  Create("a");
  const std::string with_nul("a\0b", 3);
  for (const std::string& bad : {with_nul, std::string("\xC3("), std::string("\xED\xA0\x80")}) {
    const auto outcomes = writer_->Append({Post("a", 1, "innocent"), Post("a", 1, "culprit", bad)});

    EXPECT_EQ(outcomes.status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(ReadAll("a").last_seq, 1);
  EXPECT_EQ(AppendOne(Post("a", 1, "innocent")).first_seq, 2);
}

TEST_P(StoreContract, MembershipEventsChangeThePairs) {
  Create("a");
  AppendOne(Change("a", 1, EventKind::kMemberAdded, "bob", Role::kReader, "1"));
  AppendOne(Change("a", 2, EventKind::kMemberRoleChanged, "bob", Role::kModerator, "2"));
  EXPECT_EQ(Pair("a", "bob").role, Role::kModerator);
  EXPECT_EQ(Pair("a", "bob").changed_seq, 3);

  const auto removed =
      AppendOne(Change("a", 3, EventKind::kMemberRemoved, "bob", Role::kNone, "3"));

  const MemberRecord bob = Pair("a", "bob");
  EXPECT_EQ(bob.role, Role::kNone);
  EXPECT_EQ(bob.changed_seq, 4);
  EXPECT_EQ(bob.changed_at, removed.created_at);
  EXPECT_EQ(*store_->CountMembers(RoomId("a")), 1);
  EXPECT_EQ(Pair("a", "stranger").changed_seq, 0);
  EXPECT_EQ(Pair("a", "ann").role, Role::kOwner);
}

TEST_P(StoreContract, TheLastOfSeveralChangesOfOnePairInABatchHolds) {
  Create("a");
  const AppendRequest request = {RoomId("a"),
                                 1,
                                 {MemberEvent(EventKind::kMemberAdded, "bob", Role::kMember, "1"),
                                  MemberEvent(EventKind::kMemberRemoved, "bob", Role::kNone, "2"),
                                  MemberEvent(EventKind::kMemberAdded, "bob", Role::kReader, "3")}};

  AppendOne(request);

  EXPECT_EQ(Pair("a", "bob").role, Role::kReader);
  EXPECT_EQ(Pair("a", "bob").changed_seq, 4);
}

TEST_P(StoreContract, StoresALargeBatchAndItsRetry) {
  for (int room = 0; room < 10; ++room) Create("room-" + std::to_string(room));
  std::vector<AppendRequest> batch;
  for (int i = 0; i < 512; ++i) {
    batch.push_back(Post("room-" + std::to_string(i * 7 % 10), 1, "k" + std::to_string(i)));
  }

  Append(batch);
  batch.resize(300);
  const auto again = Append(batch);

  for (const auto& outcome : again) EXPECT_EQ(outcome.kind, Kind::kDuplicate);
  size_t events = 0;
  for (int room = 0; room < 10; ++room) {
    const EventPage page = ReadAll("room-" + std::to_string(room));
    ExpectContiguous(page);
    events += page.events.size();
  }
  EXPECT_EQ(events, 512u + 10);
}

TEST_P(StoreContract, RefusesMoreEventsThanOneBatchMayHave) {
  Create("a");
  std::vector<AppendRequest> batch;
  for (int i = 0; i < 4097; ++i) batch.push_back(Post("a", 1, "k" + std::to_string(i)));

  EXPECT_EQ(writer_->Append(batch).status().code(), absl::StatusCode::kInvalidArgument);
  batch.pop_back();
  EXPECT_EQ(Append(batch).back().first_seq, 4097);
}

TEST_P(StoreContract, TwoWritersThatMeetTheRoomsInOppositeOrderNeitherDeadlockNorLeaveGaps) {
  constexpr int kRooms = 8;
  constexpr int kRounds = 40;
  for (int room = 0; room < kRooms; ++room) Create("room-" + std::to_string(room));
  const auto run = [&](const std::string& who, bool is_reversed) {
    const auto writer = OpenWriter();
    for (int round = 0; round < kRounds; ++round) {
      std::vector<AppendRequest> batch;
      for (int i = 0; i < kRooms; ++i) {
        const int room = is_reversed ? kRooms - 1 - i : i;
        // Every fourth round both bring the same key: one of them must see the other's.
        const std::string key = round % 4 == 0 ? "same" : who;
        batch.push_back(Post("room-" + std::to_string(room), 1, key + std::to_string(round)));
      }
      const auto outcomes = writer->Append(batch);
      ASSERT_TRUE(outcomes.ok()) << outcomes.status();
    }
  };

  std::thread one(run, "one", false);
  std::thread two(run, "two", true);
  one.join();
  two.join();

  for (int room = 0; room < kRooms; ++room) {
    const EventPage page = ReadAll("room-" + std::to_string(room));
    ExpectContiguous(page);
    EXPECT_EQ(page.last_seq, 1 + kRounds / 4 + 2 * (kRounds - kRounds / 4));
  }
}

TEST_P(StoreContract, CreatesARoomWithItsFirstMembersAsEvents) {
  NewRoom room;
  room.id = RoomId("a");
  room.topic = "things";
  room.is_public = true;
  room.creator = {UserId("root"), "Root", ""};
  room.members = {{UserId("bob"), Role::kOwner}, {UserId("ann"), Role::kReader}};

  const auto record = writer_->CreateRoom(room);

  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->topic, "things");
  EXPECT_TRUE(record->is_public);
  EXPECT_EQ(record->last_seq, 2);
  EXPECT_EQ(record->member_seq, 2);
  const EventPage page = ReadAll("a");
  ASSERT_EQ(page.events.size(), 2u);
  EXPECT_EQ(page.events[0].event.kind, EventKind::kMemberAdded);
  EXPECT_EQ(page.events[0].event.subject, UserId("bob"));
  EXPECT_EQ(page.events[0].event.role, Role::kOwner);
  EXPECT_EQ(page.events[1].event.actor, room.creator);
  EXPECT_EQ(Pair("a", "ann").role, Role::kReader);
  EXPECT_EQ(writer_->CreateRoom(room).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_P(StoreContract, RefusesARoomThatCannotBe) {
  for (const auto& [id, members] :
       std::vector<std::pair<std::string, std::vector<std::pair<UserId, Role>>>>{
           {"", {}},
           {std::string(129, 'x'), {}},
           {"a", {{UserId("ann"), Role::kOwner}, {UserId("ann"), Role::kReader}}},
           {"a", {{UserId("ann"), Role::kNone}}}}) {
    NewRoom room;
    room.id = RoomId(id);
    room.members = members;

    EXPECT_EQ(writer_->CreateRoom(room).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_P(StoreContract, DeletesARoomWithItsMembersAndLog) {
  Create("a");
  Create("b");
  AppendOne(Post("a", 1, "k"));

  EXPECT_TRUE(writer_->DeleteRoom(RoomId("a"), nullptr).ok());

  EXPECT_EQ(writer_->DeleteRoom(RoomId("a"), nullptr).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->ReadRoom(RoomId("a"), {}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->CountMembers(RoomId("a")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(AppendOne(Post("a", 1, "k")).kind, Kind::kRoomNotFound);
  EXPECT_EQ(ReadAll("b").last_seq, 1);
  EXPECT_EQ(store_->ListRooms(RoomId(), UserId("ann"), 10)->size(), 1u);
}

TEST_P(StoreContract, ARoomThatComesAgainGoesOnWithItsNextSeqAndKnowsNothingOfTheFirst) {
  Create("a", {{UserId("ann"), Role::kOwner}, {UserId("bob"), Role::kMember}});
  AppendOne(Post("a", 2, "k"));
  ASSERT_TRUE(writer_->DeleteRoom(RoomId("a"), nullptr).ok());

  const RoomRecord again = Create("a", {{UserId("ann"), Role::kOwner}});

  EXPECT_EQ(again.last_seq, 4);
  EXPECT_EQ(again.member_seq, 4);
  EXPECT_THAT(Seqs(ReadAll("a")), testing::ElementsAre(4));
  EXPECT_EQ(Pair("a", "bob").role, Role::kNone);
  EXPECT_EQ(Pair("a", "bob").changed_seq, 0);
  const auto old_key = AppendOne(Post("a", 4, "k"));
  EXPECT_EQ(old_key.kind, Kind::kStored);
  EXPECT_EQ(old_key.first_seq, 5);
  EventQuery before;
  before.room = RoomId("a");
  EXPECT_FALSE(store_->ReadEvents(before)->more);
}

TEST_P(StoreContract, TimeNeverRunsAgainstSeq) {
  Create("a");
  for (int i = 0; i < 50; ++i) AppendOne(Post("a", 1, "k" + std::to_string(i)));

  ExpectContiguous(ReadAll("a"));
}

}  // namespace
}  // namespace confab::storage
