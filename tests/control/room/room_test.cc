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

const DedupKey kKey{DedupKey::Space::kService, "svc/k"};
const Actor kSystem;

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

Actor User(const char* id) { return {UserId(id), id, ""}; }

TEST(Room, AsksForPairsItDoesNotHave) {
  Room room(Snapshot(1, {{"ann", Role::kMember, 1}}));

  EXPECT_EQ(room.Decide(UserId("ann"), RoomAct::kPost).kind, Kind::kAllow);
  EXPECT_EQ(room.Decide(UserId("bob"), RoomAct::kPost).kind, Kind::kLoad);
  EXPECT_EQ(room.DecideJoin(UserId("bob")).kind, Kind::kLoad);
  EXPECT_EQ(room.DecideLeave(UserId("bob")).kind, Kind::kLoad);
  EXPECT_EQ(room.DecideReplay(UserId("bob"), 0).kind, Kind::kLoad);
}

TEST(Room, RefusesStrangersAndReadersWhoPost) {
  Room room(Snapshot(2, {{"ann", Role::kReader, 1}, {"bob", Role::kNone, 0}}));

  EXPECT_EQ(room.Decide(UserId("bob"), RoomAct::kRead).reason, v1::REASON_NOT_A_MEMBER);
  EXPECT_EQ(room.DecideJoin(UserId("bob")).reason, v1::REASON_NOT_A_MEMBER);
  EXPECT_EQ(room.DecideLeave(UserId("bob")).reason, v1::REASON_NOT_A_MEMBER);
  EXPECT_EQ(room.Decide(UserId("ann"), RoomAct::kPost).reason, v1::REASON_FORBIDDEN);
  EXPECT_EQ(room.DecideJoin(UserId("ann")).kind, Kind::kAllow);
}

TEST(Room, EnrollsWhoJoinsAPublicRoom) {
  Room room(Snapshot(1, {{"bob", Role::kNone, 0}}, true));

  EXPECT_EQ(room.DecideJoin(UserId("bob")).kind, Kind::kEnroll);
  EXPECT_EQ(room.Decide(UserId("bob"), RoomAct::kPost).kind, Kind::kRefuse);

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
  Room room(Snapshot(3, {{"ann", Role::kMember, 1}, {"bob", Role::kMember, 3}}));

  room.Apply(EventKind::kMemberRemoved, UserId("bob"), Role::kNone, 5, absl::UnixEpoch());
  room.Apply(EventKind::kMemberAdded, UserId("cid"), Role::kMember, 6, absl::UnixEpoch());
  room.Apply(EventKind::kMemberRoleChanged, UserId("ann"), Role::kReader, 7, absl::UnixEpoch());
  room.Apply(EventKind::kMessagePosted, UserId(""), Role::kNone, 8, absl::UnixEpoch());

  EXPECT_EQ(room.member_seq(), 7);
  EXPECT_EQ(room.Decide(UserId("bob"), RoomAct::kRead).kind, Kind::kRefuse);
  EXPECT_EQ(room.Decide(UserId("cid"), RoomAct::kPost).kind, Kind::kAllow);
  EXPECT_EQ(room.Decide(UserId("ann"), RoomAct::kPost).kind, Kind::kRefuse);
}

TEST(Room, PassesOverEventsItsPairsAlreadyCount) {
  Room room(Snapshot(6, {{"bob", Role::kMember, 6}}));

  room.Apply(EventKind::kMemberRemoved, UserId("bob"), Role::kNone, 5, absl::UnixEpoch());

  EXPECT_EQ(room.member_seq(), 6);
  EXPECT_EQ(room.Decide(UserId("bob"), RoomAct::kRead).kind, Kind::kAllow);
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

  const MemberChange change = room.DecideAdd(kSystem, members, kKey);

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

  EXPECT_TRUE(room.DecideAdd(kSystem, members, kKey).events.empty());
  EXPECT_TRUE(room.DecideRemove(kSystem, users, kKey).events.empty());
  EXPECT_TRUE(room.DecideRole(kSystem, UserId("ann"), Role::kMember, kKey).events.empty());
  EXPECT_EQ(room.DecideRole(kSystem, UserId("bob"), Role::kMember, kKey).verdict.reason,
            v1::REASON_MEMBER_NOT_FOUND);
}

TEST(Room, AsksForAllMissingPairsAtOnce) {
  Room room(Snapshot(3, {{"ann", Role::kMember, 1}}));
  const UserId users[] = {UserId("ann"), UserId("x"), UserId("y")};

  const MemberChange change = room.DecideRemove(User("mod"), users, kKey);

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
    return room.DecideRemove(User(actor), users, kKey).verdict;
  };

  EXPECT_EQ(remove("mod", "mem").kind, Kind::kAllow);
  EXPECT_EQ(remove("mod", "own").reason, v1::REASON_FORBIDDEN);
  EXPECT_EQ(remove("own", "mod").kind, Kind::kAllow);
  EXPECT_EQ(remove("mem", "mem").reason, v1::REASON_FORBIDDEN);
  EXPECT_EQ(remove("non", "mem").reason, v1::REASON_NOT_A_MEMBER);
  EXPECT_EQ(room.DecideRole(User("mod"), UserId("mem"), Role::kOwner, kKey).verdict.reason,
            v1::REASON_FORBIDDEN);
}

}  // namespace
}  // namespace confab::control
