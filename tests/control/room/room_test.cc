#include "control/room/room.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace confab::control {
namespace {

using storage::Actor;
using storage::DedupKey;
using storage::EventKind;
using storage::Role;
using storage::RoomId;
using storage::UserId;
using Kind = Verdict::Kind;
using PersonKind = PersonChange::Kind;

const DedupKey kKey{DedupKey::Space::kService, "svc/k"};
const Actor kSystem;
const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

struct Pair {
  const char* user;
  Role role;
  int64_t changed_seq;
};

storage::RoomSnapshot Snapshot(int64_t member_seq, std::vector<Pair> pairs,
                               bool is_public = false) {
  storage::RoomSnapshot snapshot;
  snapshot.room.id = RoomId("r");
  snapshot.room.is_public = is_public;
  snapshot.room.last_seq = member_seq;
  snapshot.room.member_seq = member_seq;
  for (const Pair& pair : pairs) {
    snapshot.members.push_back({UserId(pair.user), pair.role, pair.changed_seq, {}});
  }
  return snapshot;
}

storage::NewEvent About(EventKind kind, const char* user, Role role = Role::kNone,
                        std::string content = "") {
  storage::NewEvent event;
  event.kind = kind;
  event.subject = UserId(user);
  event.role = role;
  event.content = std::move(content);
  return event;
}

Actor User(const char* id) { return {UserId(id), id, ""}; }

MemberChange Change(Room& room, const Actor& actor, const PersonChange& change) {
  return room.DecidePerson(actor, change, kKey, kNow);
}

TEST(Room, AsksForPairsItDoesNotHave) {
  Room room(Snapshot(1, {{"ann", Role::kMember, 1}}));

  EXPECT_EQ(room.Decide(UserId("ann"), RoomAct::kPost, kNow).kind, Kind::kAllow);
  EXPECT_EQ(room.Decide(UserId("bob"), RoomAct::kPost, kNow).kind, Kind::kLoad);
  EXPECT_EQ(room.DecideJoin(UserId("bob"), kNow).kind, Kind::kLoad);
  EXPECT_EQ(room.DecideLeave(UserId("bob")).kind, Kind::kLoad);
  EXPECT_EQ(room.DecideReplay(UserId("bob"), 0).kind, Kind::kLoad);
}

TEST(Room, RefusesStrangersAndReadersWhoPost) {
  Room room(Snapshot(2, {{"ann", Role::kReader, 1}, {"bob", Role::kNone, 0}}));

  EXPECT_EQ(room.Decide(UserId("bob"), RoomAct::kRead, kNow).reason, v1::REASON_NOT_A_MEMBER);
  EXPECT_EQ(room.DecideJoin(UserId("bob"), kNow).reason, v1::REASON_NOT_A_MEMBER);
  EXPECT_EQ(room.DecideLeave(UserId("bob")).reason, v1::REASON_NOT_A_MEMBER);
  EXPECT_EQ(room.Decide(UserId("ann"), RoomAct::kPost, kNow).reason, v1::REASON_FORBIDDEN);
  EXPECT_EQ(room.DecideJoin(UserId("ann"), kNow).kind, Kind::kAllow);
}

TEST(Room, EnrollsWhoJoinsAPublicRoom) {
  Room room(Snapshot(1, {{"bob", Role::kNone, 0}}, true));

  EXPECT_EQ(room.DecideJoin(UserId("bob"), kNow).kind, Kind::kEnroll);
  EXPECT_EQ(room.Decide(UserId("bob"), RoomAct::kPost, kNow).kind, Kind::kRefuse);

  const MemberChange change = room.DecideEnroll(User("bob"), kKey);
  ASSERT_EQ(change.events.size(), 1u);
  EXPECT_EQ(change.events[0].kind, EventKind::kMemberAdded);
  EXPECT_EQ(change.events[0].subject, UserId("bob"));
  EXPECT_EQ(change.events[0].role, Role::kMember);
}

TEST(Room, LetsEveryMemberQuit) {
  Room room(
      Snapshot(2, {{"ann", Role::kOwner, 1}, {"rea", Role::kReader, 2}, {"eve", Role::kNone, 0}}));

  for (const char* user : {"ann", "rea"}) {
    const MemberChange change = room.DecideQuit(User(user), kKey);
    ASSERT_EQ(change.events.size(), 1u) << user;
    EXPECT_EQ(change.events[0].kind, EventKind::kMemberRemoved);
    EXPECT_EQ(change.events[0].subject, UserId(user));
    EXPECT_EQ(change.events[0].actor.id, UserId(user));
    EXPECT_EQ(change.events[0].dedup, kKey);
  }
  const MemberChange none = room.DecideQuit(User("eve"), kKey);
  EXPECT_EQ(none.verdict.kind, Kind::kAllow);
  EXPECT_TRUE(none.events.empty());
  EXPECT_EQ(room.DecideQuit(User("bob"), kKey).verdict.kind, Kind::kLoad);
}

TEST(Room, ReplaysForAFormerMemberUpToTheEnd) {
  Room room(Snapshot(7, {{"bob", Role::kNone, 7}}));

  EXPECT_EQ(room.DecideReplay(UserId("bob"), 6).kind, Kind::kAllow);
  EXPECT_EQ(room.DecideReplay(UserId("bob"), 6).membership.changed_seq, 7);
  EXPECT_EQ(room.DecideReplay(UserId("bob"), 7).reason, v1::REASON_NOT_A_MEMBER);
}

TEST(Room, MovesWithTheEventsOfItsLog) {
  Room room(
      Snapshot(3, {{"ann", Role::kMember, 1}, {"bob", Role::kMember, 3}, {"cid", Role::kNone, 0}}));

  room.Apply(About(EventKind::kMemberRemoved, "bob"), 5, kNow);
  room.Apply(About(EventKind::kMemberAdded, "cid", Role::kMember), 6, kNow);
  room.Apply(About(EventKind::kMemberRoleChanged, "ann", Role::kReader), 7, kNow);
  room.Apply(About(EventKind::kMessagePosted, ""), 8, kNow);

  EXPECT_EQ(room.member_seq(), 7);
  EXPECT_EQ(room.Decide(UserId("bob"), RoomAct::kRead, kNow).kind, Kind::kRefuse);
  EXPECT_EQ(room.Decide(UserId("cid"), RoomAct::kPost, kNow).kind, Kind::kAllow);
  EXPECT_EQ(room.Decide(UserId("ann"), RoomAct::kPost, kNow).kind, Kind::kRefuse);
}

TEST(Room, PassesOverEventsItsPairsAlreadyCount) {
  Room room(Snapshot(6, {{"bob", Role::kMember, 6}}));

  room.Apply(About(EventKind::kMemberRemoved, "bob"), 5, kNow);

  EXPECT_EQ(room.member_seq(), 6);
  EXPECT_EQ(room.Decide(UserId("bob"), RoomAct::kRead, kNow).kind, Kind::kAllow);
}

TEST(Room, KeepsAllPairsAsOfOneVersion) {
  Room room(Snapshot(3, {{"ann", Role::kMember, 1}}));

  EXPECT_TRUE(room.Learn(Snapshot(3, {{"bob", Role::kMember, 3}})));
  EXPECT_EQ(room.pairs(), 2u);
  EXPECT_FALSE(room.Learn(Snapshot(2, {{"cid", Role::kMember, 2}})));
  EXPECT_EQ(room.Find(UserId("cid")), nullptr);
  EXPECT_TRUE(room.Learn(Snapshot(4, {{"dan", Role::kMember, 4}})));
  EXPECT_EQ(room.Find(UserId("ann")), nullptr);
  EXPECT_NE(room.Find(UserId("dan")), nullptr);
}

TEST(Room, DropsThePairsThatWereNotUsed) {
  Room room(Snapshot(1, {}), 10);
  for (int i = 0; i < 10; ++i) {
    room.Learn(Snapshot(1, {{std::to_string(i).c_str(), Role::kMember, 1}}));
  }
  room.Find(UserId("0"));

  room.Learn(Snapshot(1, {{"new", Role::kMember, 1}}));

  EXPECT_LE(room.pairs(), 10u);
  EXPECT_NE(room.Find(UserId("new")), nullptr);
  EXPECT_NE(room.Find(UserId("0")), nullptr);
  EXPECT_EQ(room.Find(UserId("1")), nullptr);
}

TEST(Room, AddsWhoIsNewAndChangesWhoIsNot) {
  Room room(Snapshot(3, {{"ann", Role::kMember, 1}, {"bob", Role::kNone, 2}}));
  const std::pair<UserId, Role> members[] = {{UserId("ann"), Role::kOwner},
                                             {UserId("bob"), Role::kMember}};

  const MemberChange change = room.DecideAdd(kSystem, members, kKey, kNow);

  ASSERT_EQ(change.events.size(), 2u);
  EXPECT_EQ(change.events[0].kind, EventKind::kMemberRoleChanged);
  EXPECT_EQ(change.events[0].dedup.key, "svc/k");
  EXPECT_EQ(change.events[1].kind, EventKind::kMemberAdded);
  EXPECT_EQ(change.events[1].dedup.key, "svc/k/1");
}

TEST(Room, ChangesNothingThatIsAsAsked) {
  Room room(Snapshot(3, {{"ann", Role::kMember, 1}, {"bob", Role::kNone, 2}}));
  const std::pair<UserId, Role> members[] = {{UserId("ann"), Role::kMember}};
  const UserId users[] = {UserId("bob")};

  EXPECT_TRUE(room.DecideAdd(kSystem, members, kKey, kNow).events.empty());
  EXPECT_TRUE(room.DecideRemove(kSystem, users, kKey, kNow).events.empty());
  EXPECT_TRUE(
      Change(room, kSystem, {PersonKind::kRole, UserId("ann"), Role::kMember}).events.empty());
  EXPECT_EQ(Change(room, kSystem, {PersonKind::kRole, UserId("bob"), Role::kMember}).verdict.reason,
            v1::REASON_MEMBER_NOT_FOUND);
}

TEST(Room, AsksForAllMissingPairsAtOnce) {
  Room room(Snapshot(3, {{"ann", Role::kMember, 1}}));
  const UserId users[] = {UserId("ann"), UserId("x"), UserId("y")};

  const MemberChange change = room.DecideRemove(User("mod"), users, kKey, kNow);

  EXPECT_EQ(change.verdict.kind, Kind::kLoad);
  EXPECT_EQ(change.missing, (std::vector<UserId>{UserId("x"), UserId("y"), UserId("mod")}));
}

TEST(Room, LetsModeratorsManageMembersAndOwnersModerators) {
  Room room(Snapshot(5, {{"own", Role::kOwner, 1},
                         {"mod", Role::kModerator, 2},
                         {"mem", Role::kMember, 3},
                         {"non", Role::kNone, 4}}));
  const auto remove = [&](const char* actor, const char* user) {
    const UserId users[] = {UserId(user)};
    return room.DecideRemove(User(actor), users, kKey, kNow).verdict;
  };

  EXPECT_EQ(remove("mod", "mem").kind, Kind::kAllow);
  EXPECT_EQ(remove("mod", "own").reason, v1::REASON_FORBIDDEN);
  EXPECT_EQ(remove("own", "mod").kind, Kind::kAllow);
  EXPECT_EQ(remove("mem", "mem").reason, v1::REASON_FORBIDDEN);
  EXPECT_EQ(remove("non", "mem").reason, v1::REASON_NOT_A_MEMBER);
  EXPECT_EQ(
      Change(room, User("mod"), {PersonKind::kRole, UserId("mem"), Role::kOwner}).verdict.reason,
      v1::REASON_FORBIDDEN);
}

TEST(Room, BansUntilTheEndThatIsTold) {
  Room room(Snapshot(2, {{"mod", Role::kModerator, 1}, {"bob", Role::kMember, 2}}, true));

  const MemberChange change =
      Change(room, User("mod"), {PersonKind::kBan, UserId("bob"), Role::kNone, 60});
  ASSERT_EQ(change.events.size(), 1u);
  EXPECT_EQ(change.events[0].kind, EventKind::kMemberBanned);
  EXPECT_EQ(change.events[0].role, Role::kMember);
  room.Apply(change.events[0], 3, kNow);

  const Verdict verdict = room.DecideJoin(UserId("bob"), kNow + absl::Seconds(20));
  EXPECT_EQ(verdict.reason, v1::REASON_BANNED);
  EXPECT_EQ(verdict.retry_after_ms, 40'000u);
  EXPECT_EQ(room.Decide(UserId("bob"), RoomAct::kRead, kNow).reason, v1::REASON_BANNED);
  EXPECT_EQ(room.DecideJoin(UserId("bob"), kNow + absl::Seconds(60)).kind, Kind::kEnroll);
  EXPECT_EQ(room.DecideReplay(UserId("bob"), 2).kind, Kind::kAllow);
  EXPECT_EQ(room.DecideReplay(UserId("bob"), 3).kind, Kind::kRefuse);
}

TEST(Room, BansWhoIsNoMemberAndEndsNoMembershipThereby) {
  Room room(Snapshot(7, {{"bob", Role::kNone, 5}}, true));

  const MemberChange change = Change(room, kSystem, {PersonKind::kBan, UserId("bob")});
  ASSERT_EQ(change.events.size(), 1u);
  EXPECT_EQ(change.events[0].role, Role::kNone);
  room.Apply(change.events[0], 8, kNow);

  EXPECT_EQ(room.Find(UserId("bob"))->changed_seq, 5);  // A replay reads no further.
  EXPECT_EQ(room.DecideJoin(UserId("bob"), absl::FromUnixSeconds(9'000'000'000)).reason,
            v1::REASON_BANNED);
  EXPECT_EQ(room.DecideJoin(UserId("bob"), kNow).retry_after_ms, 0u);

  const MemberChange lifted = Change(room, kSystem, {PersonKind::kUnban, UserId("bob")});
  ASSERT_EQ(lifted.events.size(), 1u);
  room.Apply(lifted.events[0], 9, kNow);
  EXPECT_EQ(room.DecideJoin(UserId("bob"), kNow).kind, Kind::kEnroll);
  EXPECT_EQ(room.Find(UserId("bob"))->changed_seq, 5);
}

TEST(Room, MutesUntilTheEndAndOverALeave) {
  Room room(Snapshot(2, {{"bob", Role::kMember, 2}}));
  const MemberChange change = Change(room, kSystem, {PersonKind::kMute, UserId("bob"), {}, 60});
  ASSERT_EQ(change.events.size(), 1u);
  room.Apply(change.events[0], 3, kNow);

  const Verdict verdict = room.DecidePost(UserId("bob"), kKey, kNow + absl::Seconds(59));
  EXPECT_EQ(verdict.reason, v1::REASON_MUTED);
  EXPECT_EQ(verdict.retry_after_ms, 1000u);
  EXPECT_EQ(room.Decide(UserId("bob"), RoomAct::kRead, kNow).kind, Kind::kAllow);

  room.Apply(About(EventKind::kMemberRemoved, "bob"), 4, kNow);
  room.Apply(About(EventKind::kMemberAdded, "bob", Role::kMember), 5, kNow);
  EXPECT_EQ(room.DecidePost(UserId("bob"), kKey, kNow).reason, v1::REASON_MUTED);
  EXPECT_EQ(room.DecidePost(UserId("bob"), kKey, kNow + absl::Seconds(60)).kind, Kind::kAllow);
}

TEST(Room, ManagesPeopleOnlyByTheirRoles) {
  Room room(Snapshot(3, {{"own", Role::kOwner, 1},
                         {"mod", Role::kModerator, 2},
                         {"mem", Role::kMember, 3},
                         {"non", Role::kNone, 0}}));
  const auto reason = [&](const char* actor, PersonKind kind, const char* user) {
    return Change(room, User(actor), {kind, UserId(user), Role::kReader}).verdict.reason;
  };

  for (const PersonKind kind : {PersonKind::kBan, PersonKind::kMute, PersonKind::kUnban,
                                PersonKind::kUnmute, PersonKind::kRole, PersonKind::kRemove}) {
    EXPECT_EQ(reason("mod", kind, "mem"), v1::REASON_UNSPECIFIED);
    EXPECT_EQ(reason("mod", kind, "own"), v1::REASON_FORBIDDEN);
    EXPECT_EQ(reason("own", kind, "mod"), v1::REASON_UNSPECIFIED);
    EXPECT_EQ(reason("mem", kind, "mem"), v1::REASON_FORBIDDEN);
    EXPECT_EQ(reason("non", kind, "mem"), v1::REASON_NOT_A_MEMBER);
  }
  EXPECT_EQ(reason("mod", PersonKind::kMute, "non"), v1::REASON_MEMBER_NOT_FOUND);
  EXPECT_EQ(reason("mod", PersonKind::kBan, "non"), v1::REASON_UNSPECIFIED);
}

TEST(Room, UpdatesWhatIsAnother) {
  Room room(Snapshot(3, {{"own", Role::kOwner, 1}}));
  v1::RoomChanges changes;
  changes.set_topic("tea");
  changes.set_is_read_only(false);  // As it is.
  (*changes.mutable_set_metadata())["color"] = "red=\n1";

  const MemberChange change = room.DecideUpdate(User("own"), changes, kKey, kNow);
  ASSERT_EQ(change.events.size(), 1u);
  EXPECT_EQ(change.events[0].type, "topic,metadata");
  room.Apply(change.events[0], 4, kNow);

  EXPECT_EQ(room.settings().topic, "tea");
  EXPECT_EQ(room.settings().metadata.at("color"), "red=\n1");
  EXPECT_EQ(room.member_seq(), 4);
  EXPECT_TRUE(room.DecideUpdate(User("own"), changes, kKey, kNow).events.empty());
}

TEST(Room, AsksAnOwnerForTheArchiveAndAModeratorForTheRest) {
  Room room(Snapshot(3, {{"own", Role::kOwner, 1}, {"mod", Role::kModerator, 2}}));
  v1::RoomChanges archive;
  archive.set_is_archived(true);
  v1::RoomChanges slow;
  slow.set_slow_mode_seconds(5);

  EXPECT_EQ(room.DecideUpdate(User("mod"), archive, kKey, kNow).verdict.reason,
            v1::REASON_FORBIDDEN);
  EXPECT_EQ(room.DecideUpdate(User("mod"), slow, kKey, kNow).verdict.kind, Kind::kAllow);
  const MemberChange archived = room.DecideUpdate(User("own"), archive, kKey, kNow);
  ASSERT_EQ(archived.events.size(), 1u);
  room.Apply(archived.events[0], 4, kNow);

  EXPECT_EQ(room.DecidePost(UserId("own"), kKey, kNow).reason, v1::REASON_ROOM_ARCHIVED);
  EXPECT_EQ(room.DecideUpdate(User("mod"), slow, kKey, kNow).verdict.reason,
            v1::REASON_ROOM_ARCHIVED);
  EXPECT_EQ(room.DecideUpdate(kSystem, slow, kKey, kNow).verdict.kind, Kind::kAllow);
  archive.set_is_archived(false);
  EXPECT_EQ(room.DecideUpdate(User("own"), archive, kKey, kNow).events.size(), 1u);
}

TEST(Room, RefusesMoreMetadataThanItKeeps) {
  Room room(Snapshot(3, {}));
  v1::RoomChanges changes;
  for (int i = 0; i < 33; ++i) (*changes.mutable_set_metadata())[std::to_string(i)] = "x";

  EXPECT_EQ(room.DecideUpdate(kSystem, changes, kKey, kNow).verdict.reason,
            v1::REASON_LIMIT_REACHED);
}

TEST(Room, KeepsThePaceOfSlowMode) {
  storage::RoomSnapshot snapshot =
      Snapshot(3, {{"mem", Role::kMember, 1}, {"mod", Role::kModerator, 2}});
  snapshot.room.slow_mode_seconds = 10;
  Room room(snapshot);
  const auto post = [&](const char* user, const char* key, int seconds) {
    return room.DecidePost(UserId(user), {DedupKey::Space::kClient, key},
                           kNow + absl::Seconds(seconds));
  };

  EXPECT_EQ(post("mem", "a", 0).kind, Kind::kAllow);
  EXPECT_EQ(post("mem", "b", 4).reason, v1::REASON_SLOW_MODE);
  EXPECT_EQ(post("mem", "b", 4).retry_after_ms, 6000u);
  EXPECT_EQ(post("mem", "a", 4).kind, Kind::kAllow);  // A retry gets its first answer.
  EXPECT_EQ(post("mod", "x", 4).kind, Kind::kAllow);
  EXPECT_EQ(post("mod", "y", 4).kind, Kind::kAllow);
  EXPECT_EQ(post("mem", "b", 10).kind, Kind::kAllow);
}

}  // namespace
}  // namespace confab::control
