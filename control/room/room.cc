#include "control/room/room.h"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

namespace confab::control {

using storage::Actor;
using storage::DedupKey;
using storage::EventKind;
using storage::NewEvent;
using storage::Role;
using storage::UserId;

namespace {

Verdict Allow(Membership membership) {
  return {Verdict::Kind::kAllow, membership, v1::REASON_UNSPECIFIED, ""};
}
Verdict Refuse(v1::Reason reason, const char* message) {
  return {Verdict::Kind::kRefuse, {}, reason, message};
}
Verdict NotAMember() {
  return Refuse(v1::REASON_NOT_A_MEMBER, "you are not a member of this room");
}
Verdict Load() { return {Verdict::Kind::kLoad, {}, v1::REASON_UNSPECIFIED, ""}; }

void AddEvent(MemberChange& change, EventKind kind, const Actor& actor, const UserId& subject,
              Role role, const DedupKey& key) {
  const size_t index = change.events.size();
  NewEvent& event = change.events.emplace_back();
  event.kind = kind;
  event.actor = actor;
  event.dedup = key;
  if (index > 0) event.dedup.key += fmt::format("/{}", index);
  event.subject = subject;
  event.role = role;
}

}  // namespace

Room::Room(const storage::RoomSnapshot& snapshot, size_t pairs_limit)
    : id_(snapshot.room.id),
      is_public_(snapshot.room.is_public),
      member_seq_(snapshot.room.member_seq),
      pairs_limit_(pairs_limit) {
  Learn(snapshot);
}

bool Room::Learn(const storage::RoomSnapshot& snapshot) {
  if (snapshot.room.member_seq < member_seq_) return false;
  if (snapshot.room.member_seq > member_seq_) pairs_.clear();
  member_seq_ = snapshot.room.member_seq;
  for (const storage::MemberRecord& member : snapshot.members) {
    Insert(member.user, {member.role, member.changed_seq, member.changed_at});
  }
  return true;
}

void Room::Apply(EventKind kind, const UserId& subject, Role role, int64_t seq, absl::Time at) {
  if (kind == EventKind::kMessagePosted || seq <= member_seq_) return;
  member_seq_ = seq;
  Insert(subject, {kind == EventKind::kMemberRemoved ? Role::kNone : role, seq, at});
}

void Room::Insert(const UserId& user, Membership membership) {
  pairs_[user] = {membership, ++uses_};
  if (pairs_.size() > pairs_limit_) DropUnused();
}

void Room::DropUnused() {
  std::vector<uint64_t> used;
  used.reserve(pairs_.size());
  for (const auto& [user, pair] : pairs_) used.push_back(pair.used);
  const auto middle = used.begin() + static_cast<std::ptrdiff_t>(used.size() / 2);
  std::nth_element(used.begin(), middle, used.end());
  absl::erase_if(pairs_,
                 [limit = *middle](const auto& entry) { return entry.second.used < limit; });
}

const Membership* Room::Find(const UserId& user) {
  const auto it = pairs_.find(user);
  if (it == pairs_.end()) return nullptr;
  it->second.used = ++uses_;
  return &it->second.membership;
}

Verdict Room::Decide(const UserId& user, RoomAct act) {
  const Membership* membership = Find(user);
  if (membership == nullptr) return Load();
  if (membership->role == Role::kNone) return NotAMember();
  if (!Permits(membership->role, act)) {
    return Refuse(v1::REASON_FORBIDDEN, act == RoomAct::kPost ? "a reader cannot post"
                                                              : "your role does not permit this");
  }
  return Allow(*membership);
}

Verdict Room::DecideJoin(const UserId& user) {
  Verdict verdict = Decide(user, RoomAct::kSubscribe);
  if (is_public_ && verdict.kind == Verdict::Kind::kRefuse &&
      verdict.reason == v1::REASON_NOT_A_MEMBER) {
    verdict.kind = Verdict::Kind::kEnroll;
  }
  return verdict;
}

Verdict Room::DecideLeave(const UserId& user) {
  const Membership* membership = Find(user);
  if (membership == nullptr) return Load();
  return membership->role == Role::kNone ? NotAMember() : Allow(*membership);
}

Verdict Room::DecideReplay(const UserId& user, int64_t after_seq) {
  const Membership* membership = Find(user);
  if (membership == nullptr) return Load();
  if (membership->role == Role::kNone && after_seq >= membership->changed_seq) return NotAMember();
  return Allow(*membership);
}

void Room::CheckActor(const Actor& actor, absl::Span<const Role> roles, MemberChange& change) {
  if (change.verdict.kind == Verdict::Kind::kRefuse) return;
  if (actor.id.empty()) return;
  const Membership* membership = Find(actor.id);
  if (membership == nullptr) {
    change.verdict = Load();
    change.missing.push_back(actor.id);
    return;
  }
  if (membership->role == Role::kNone) {
    change.verdict = NotAMember();
    return;
  }
  for (const Role role : roles) {
    if (!Permits(membership->role, ActToManage(role))) {
      change.verdict = Refuse(v1::REASON_FORBIDDEN, "your role does not permit this");
      return;
    }
  }
}

MemberChange Room::DecideEnroll(const Actor& user, const DedupKey& key) const {
  assert(is_public_);
  MemberChange change;
  change.verdict = Allow({});
  AddEvent(change, EventKind::kMemberAdded, user, user.id, Role::kMember, key);
  return change;
}

MemberChange Room::DecideQuit(const Actor& user, const DedupKey& key) {
  MemberChange change;
  const Membership* membership = Find(user.id);
  if (membership == nullptr) {
    change.verdict = Load();
    change.missing.push_back(user.id);
    return change;
  }
  change.verdict = Allow(*membership);
  if (membership->role != Role::kNone) {
    AddEvent(change, EventKind::kMemberRemoved, user, user.id, Role::kNone, key);
  }
  return change;
}

MemberChange Room::DecideAdd(const Actor& actor, absl::Span<const std::pair<UserId, Role>> members,
                             const DedupKey& key) {
  MemberChange change;
  change.verdict = Allow({});
  std::vector<Role> roles;
  for (const auto& [user, role] : members) {
    const Membership* membership = Find(user);
    if (membership == nullptr) {
      change.missing.push_back(user);
      continue;
    }
    if (membership->role == role) continue;
    roles.insert(roles.end(), {membership->role, role});
    const bool is_new = membership->role == Role::kNone;
    AddEvent(change, is_new ? EventKind::kMemberAdded : EventKind::kMemberRoleChanged, actor, user,
             role, key);
  }
  if (!change.missing.empty()) change.verdict = Load();
  CheckActor(actor, roles, change);
  return change;
}

MemberChange Room::DecideRemove(const Actor& actor, absl::Span<const UserId> users,
                                const DedupKey& key) {
  MemberChange change;
  change.verdict = Allow({});
  std::vector<Role> roles;
  for (const UserId& user : users) {
    const Membership* membership = Find(user);
    if (membership == nullptr) {
      change.missing.push_back(user);
      continue;
    }
    if (membership->role == Role::kNone) continue;
    roles.push_back(membership->role);
    AddEvent(change, EventKind::kMemberRemoved, actor, user, Role::kNone, key);
  }
  if (!change.missing.empty()) change.verdict = Load();
  CheckActor(actor, roles, change);
  return change;
}

MemberChange Room::DecideRole(const Actor& actor, const UserId& user, Role role,
                              const DedupKey& key) {
  MemberChange change;
  const Membership* membership = Find(user);
  if (membership == nullptr) {
    change.verdict = Load();
    change.missing.push_back(user);
    return change;
  }
  if (membership->role == Role::kNone) {
    change.verdict = Refuse(v1::REASON_MEMBER_NOT_FOUND, "this user is not a member of the room");
    return change;
  }
  const Membership before = *membership;
  change.verdict = Allow(before);
  const Role roles[] = {before.role, role};
  CheckActor(actor, roles, change);
  if (before.role != role) {
    AddEvent(change, EventKind::kMemberRoleChanged, actor, user, role, key);
  }
  return change;
}

}  // namespace confab::control
