// What a store keeps beside messages: settings of rooms, bans and mutes, what was done.
#include <string>
#include <vector>

#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include "storage/restriction.h"
#include "tests/contract/store_backends.h"

namespace confab::storage {
namespace {

class StoreRulesContract : public StoreContract {
 protected:
  AppendRequest Update(const RoomSettings& settings, int64_t expected, const std::string& key) {
    AppendRequest request{
        RoomId("a"), expected, {MemberEvent(EventKind::kRoomUpdated, "", {}, key)}};
    request.events[0].content = EncodeSettings(settings);
    request.events[0].type = "topic";
    return request;
  }
  AppendRequest Restrict(EventKind kind, const std::string& user, Role role, absl::Time until,
                         int64_t expected) {
    AppendRequest request =
        Change("a", expected, kind, user, role, "restrict " + std::to_string(expected));
    if (until != absl::UnixEpoch()) request.events[0].content = RestrictionText(until);
    return request;
  }
  std::vector<std::string> Listed(MemberFilter filter) {
    std::vector<std::string> users;
    const auto members = store_->ListMembers(RoomId("a"), filter, UserId(), 10);
    EXPECT_TRUE(members.ok()) << members.status();
    for (const MemberRecord& member : *members) users.push_back(member.user.value);
    return users;
  }
  // "act room subject result seq" of each, newest first.
  std::vector<std::string> Audited(const AuditQuery& query = {}) {
    std::vector<std::string> lines;
    const auto records = store_->ListAudit(query);
    EXPECT_TRUE(records.ok()) << records.status();
    for (const AuditRecord& record : *records) {
      lines.push_back(record.note.act + " " + record.room.value + " " + record.subject.value + " " +
                      record.result + " " + std::to_string(record.seq));
    }
    return lines;
  }

  const absl::Time later_ = absl::FromUnixMicros(absl::ToUnixMicros(absl::Now() + absl::Hours(1)));
};

TEST_P(StoreRulesContract, KeepsTheSettingsOfAnUpdate) {
  Create("a");
  const RoomSettings settings{"tea", true, true, true, 30, {{"color", "red=\n"}, {"b", ""}}};

  EXPECT_EQ(AppendOne(Update(settings, 1, "u")).member_seq, 2);
  Reopen();

  const auto snapshot = store_->ReadRoom(RoomId("a"), {});
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ(static_cast<const RoomSettings&>(snapshot->room), settings);
  EXPECT_EQ(snapshot->room.member_seq, 2);
  const auto rooms = store_->ListRooms(RoomId(), UserId("ann"), 5);
  ASSERT_TRUE(rooms.ok());
  EXPECT_EQ(static_cast<const RoomSettings&>(rooms->at(0)), settings);
  EXPECT_EQ(DecodeSettings(ReadAll("a").events.at(1).event.content), settings);
}

TEST_P(StoreRulesContract, HoldsAPostThatWasDecidedBeforeAnUpdate) {
  Create("a");
  AppendOne(Update({}, 1, "u"));

  EXPECT_EQ(AppendOne(Post("a", 1, "late")).kind, AppendOutcome::Kind::kStaleMembers);
  EXPECT_EQ(AppendOne(Post("a", 2, "fresh")).kind, AppendOutcome::Kind::kStored);
}

TEST_P(StoreRulesContract, ForgetsTheSettingsOfADeletedRoom) {
  Create("a");
  AppendOne(Update({"tea", true, true, true, 9, {{"k", "v"}}}, 1, "u"));
  ASSERT_TRUE(writer_->DeleteRoom(RoomId("a"), nullptr).ok());

  Create("a");

  const auto snapshot = store_->ReadRoom(RoomId("a"), {});
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ(static_cast<const RoomSettings&>(snapshot->room), (RoomSettings{.topic = "about a"}));
}

TEST_P(StoreRulesContract, KeepsABanAndWhereItEndedTheMembership) {
  Create("a", {{UserId("ann"), Role::kOwner}, {UserId("bob"), Role::kMember}});

  AppendOne(Restrict(EventKind::kMemberBanned, "bob", Role::kMember, later_, 2));
  MemberRecord bob = Pair("a", "bob");
  EXPECT_EQ(bob.role, Role::kNone);
  EXPECT_EQ(bob.changed_seq, 3);
  EXPECT_EQ(bob.banned_until, later_);
  EXPECT_EQ(Listed(MemberFilter::kMembers), std::vector<std::string>{"ann"});
  EXPECT_EQ(Listed(MemberFilter::kBanned), std::vector<std::string>{"bob"});
  EXPECT_EQ(*store_->CountMembers(RoomId("a")), 1);

  AppendOne(Restrict(EventKind::kMemberUnbanned, "bob", Role::kNone, absl::UnixEpoch(), 3));
  bob = Pair("a", "bob");
  EXPECT_EQ(bob.banned_until, absl::UnixEpoch());
  EXPECT_EQ(bob.changed_seq, 3);
  EXPECT_TRUE(Listed(MemberFilter::kBanned).empty());
}

TEST_P(StoreRulesContract, BansWhoNeverWasAMember) {
  Create("a");

  AppendOne(Restrict(EventKind::kMemberBanned, "bob", Role::kNone, absl::InfiniteFuture(), 1));

  MemberRecord bob = Pair("a", "bob");
  EXPECT_EQ(bob.changed_seq, 0);
  EXPECT_EQ(bob.banned_until, absl::InfiniteFuture());
  AppendOne(Change("a", 2, EventKind::kMemberAdded, "bob", Role::kMember, "add"));
  bob = Pair("a", "bob");
  EXPECT_EQ(bob.role, Role::kMember);
  EXPECT_EQ(bob.changed_seq, 3);
  EXPECT_EQ(bob.banned_until, absl::UnixEpoch());
}

TEST_P(StoreRulesContract, ListsNoBanThatIsOver) {
  Create("a");

  AppendOne(Restrict(EventKind::kMemberBanned, "bob", Role::kNone,
                     absl::FromUnixMicros(absl::ToUnixMicros(absl::Now()) - 1), 1));

  EXPECT_TRUE(Listed(MemberFilter::kBanned).empty());
}

TEST_P(StoreRulesContract, KeepsAMuteOverALeave) {
  Create("a", {{UserId("bob"), Role::kMember}});

  AppendOne(Restrict(EventKind::kMemberMuted, "bob", Role::kNone, later_, 1));
  MemberRecord bob = Pair("a", "bob");
  EXPECT_EQ(bob.role, Role::kMember);
  EXPECT_EQ(bob.changed_seq, 1);
  EXPECT_EQ(bob.muted_until, later_);
  AppendOne(Change("a", 2, EventKind::kMemberRemoved, "bob", Role::kNone, "out"));
  AppendOne(Change("a", 3, EventKind::kMemberAdded, "bob", Role::kReader, "in"));
  EXPECT_EQ(Pair("a", "bob").muted_until, later_);
  AppendOne(Restrict(EventKind::kMemberUnmuted, "bob", Role::kNone, absl::UnixEpoch(), 4));
  EXPECT_EQ(Pair("a", "bob").muted_until, absl::UnixEpoch());
  EXPECT_EQ(Pair("a", "bob").role, Role::kReader);
}

TEST_P(StoreRulesContract, MergesWhatOneRequestMakesOfAUser) {
  Create("a", {{UserId("bob"), Role::kMember}});
  AppendRequest request = Restrict(EventKind::kMemberMuted, "bob", Role::kNone, later_, 1);
  request.events.push_back(MemberEvent(EventKind::kMemberRemoved, "bob", Role::kNone, "k/1"));

  AppendOne(request);

  const MemberRecord bob = Pair("a", "bob");
  EXPECT_EQ(bob.role, Role::kNone);
  EXPECT_EQ(bob.changed_seq, 3);
  EXPECT_EQ(bob.muted_until, later_);
}

TEST_P(StoreRulesContract, RefusesARestrictionWithoutAnEnd) {
  Create("a");

  const auto outcomes = writer_->Append({Change("a", 1, EventKind::kMemberBanned, "bob", {}, "k")});

  EXPECT_EQ(outcomes.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(StoreRulesContract, RecordsWhoChangesMessagesOfOthersAndWhatIsKept) {
  Create("a");
  AppendOne(Post("a", 1, "m"));
  const auto change = [&](EventKind kind, const std::string& actor, const std::string& key) {
    AppendRequest request = Post("a", 1, key, kind == EventKind::kMessageEdited ? "x" : "");
    request.events[0].kind = kind;
    request.events[0].actor = {UserId(actor), "", ""};
    request.events[0].message_id = "id-of-m";
    request.audit = std::make_shared<const AuditNote>(AuditNote{"message.change", "", "r"});
    AppendOne(request);
  };

  change(EventKind::kMessageEdited, "ann", "own");
  change(EventKind::kMessageEdited, "mo", "edit");
  change(EventKind::kMessageDeleted, "", "delete");
  change(EventKind::kMessageDeleted, "mo", "too late");
  AuditRecord retention;
  retention.note = {"room.retention", "shop", "r2"};
  retention.room = RoomId("a");
  ASSERT_TRUE(writer_->SetRetention(RoomId("a"), {absl::Hours(1), 0}, &retention).ok());
  EXPECT_FALSE(writer_->SetRetention(RoomId("b"), {absl::Hours(1), 0}, &retention).ok());
  Reopen();

  EXPECT_EQ(Audited(),
            (std::vector<std::string>{"room.retention a  OK 0", "message.change a ann OK 5",
                                      "message.change a ann OK 4"}));
}

TEST_P(StoreRulesContract, RecordsActsWithTheirEvents) {
  NewRoom room;
  room.id = RoomId("a");
  room.creator = {UserId("ann"), "Ann", "ann@example.org"};
  room.audit = std::make_shared<const AuditNote>(AuditNote{"room.create", "", "r0"});
  ASSERT_TRUE(writer_->CreateRoom(room).ok());
  AppendRequest request{RoomId("a"),
                        0,
                        {MemberEvent(EventKind::kMemberAdded, "bob", Role::kMember, "k"),
                         MemberEvent(EventKind::kMemberAdded, "cy", Role::kMember, "k/1")}};
  request.audit = std::make_shared<const AuditNote>(AuditNote{"member.add", "shop", "r1"});

  AppendOne(request);
  AppendOne(request);                     // A retry is the same act.
  AppendOne(Post("a", 2, "m"));           // Nobody asked for a record of it.
  request.events[0].dedup.key = "other";  // Stale.
  request.events[1].dedup.key = "other/1";
  AppendOne(request);
  AuditRecord deletion;
  deletion.note = {"room.delete", "shop", "r2"};
  deletion.room = RoomId("a");
  ASSERT_TRUE(writer_->DeleteRoom(RoomId("a"), &deletion).ok());
  EXPECT_FALSE(writer_->DeleteRoom(RoomId("a"), &deletion).ok());
  Reopen();

  EXPECT_EQ(Audited(), (std::vector<std::string>{"room.delete a  OK 0", "member.add a cy OK 2",
                                                 "member.add a bob OK 1", "room.create a  OK 0"}));
  const auto records = store_->ListAudit({});
  EXPECT_EQ(records->at(3).actor, UserId("ann"));
  EXPECT_EQ(records->at(1).note.service, "shop");
  EXPECT_EQ(records->at(1).note.request_id, "r1");
  EXPECT_LT(absl::AbsDuration(absl::Now() - records->at(1).at), absl::Minutes(5));
}

TEST_P(StoreRulesContract, ListsWhatWasRecordedPageByPage) {
  std::vector<AuditRecord> records(4);
  for (size_t i = 0; i < records.size(); ++i) {
    records[i].note.act = "act" + std::to_string(i);
    records[i].room = RoomId(i % 2 == 0 ? "even" : "odd");
    records[i].actor = UserId(i < 2 ? "ann" : "bob");
    records[i].subject = UserId("cy");
    records[i].result = "FORBIDDEN";
  }
  ASSERT_TRUE(writer_->WriteAudit(records).ok());

  EXPECT_EQ(Audited({.room = RoomId("odd")}),
            (std::vector<std::string>{"act3 odd cy FORBIDDEN 0", "act1 odd cy FORBIDDEN 0"}));
  EXPECT_EQ(Audited({.actor = UserId("bob")}).size(), 2u);
  EXPECT_EQ(Audited({.room = RoomId("odd"), .actor = UserId("bob")}),
            std::vector<std::string>{"act3 odd cy FORBIDDEN 0"});
  EXPECT_EQ(Audited({.actor = UserId("ann"), .subject = UserId("cy")}).size(), 2u);
  EXPECT_TRUE(Audited({.subject = UserId("dan")}).empty());
  const auto first = store_->ListAudit({.limit = 3});
  ASSERT_EQ(first->size(), 3u);
  EXPECT_EQ(Audited({.before_id = first->back().id}),
            std::vector<std::string>{"act0 even cy FORBIDDEN 0"});
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreRulesContract, testing::ValuesIn(AllBackends()), BackendName);

}  // namespace
}  // namespace confab::storage
