#include "control/room/room.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "storage/restriction.h"

namespace confab::control {

using storage::Actor;
using storage::DedupKey;
using storage::EventKind;
using storage::NewEvent;
using storage::Role;
using storage::UserId;

namespace {

Verdict Allow(Membership membership) {
  return {Verdict::Kind::kAllow, membership, v1::REASON_UNSPECIFIED, "", 0};
}
Verdict Refuse(v1::Reason reason, const char* message, uint32_t retry_after_ms = 0) {
  return {Verdict::Kind::kRefuse, {}, reason, message, retry_after_ms};
}
Verdict NotAMember() {
  return Refuse(v1::REASON_NOT_A_MEMBER, "you are not a member of this room");
}
Verdict Load() { return {Verdict::Kind::kLoad, {}, v1::REASON_UNSPECIFIED, "", 0}; }

// 0 for a time without end.
uint32_t MillisecondsUntil(absl::Time end, absl::Time now) {
  if (end == absl::InfiniteFuture() || end <= now) return 0;
  const int64_t left = absl::ToInt64Milliseconds(absl::Ceil(end - now, absl::Milliseconds(1)));
  return static_cast<uint32_t>(std::min<int64_t>(left, std::numeric_limits<uint32_t>::max()));
}

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

// What is so already makes no event.
void AddPersonEvent(MemberChange& change, const Membership& user, const Actor& actor,
                    const PersonChange& asked, const DedupKey& key, absl::Time now) {
  using Kind = PersonChange::Kind;
  const absl::Time end = EndOf(asked.seconds, now);
  switch (asked.kind) {
    case Kind::kRole:
      if (user.role == asked.role) return;
      return AddEvent(change, EventKind::kMemberRoleChanged, actor, asked.user, asked.role, key);
    case Kind::kBan:
      if (user.banned_until == end) return;
      AddEvent(change, EventKind::kMemberBanned, actor, asked.user, user.role, key);
      change.events[0].content = storage::RestrictionText(end);
      return;
    case Kind::kUnban:
      if (user.banned_until <= now) return;
      return AddEvent(change, EventKind::kMemberUnbanned, actor, asked.user, Role::kNone, key);
    case Kind::kMute:
      if (user.muted_until == end) return;
      AddEvent(change, EventKind::kMemberMuted, actor, asked.user, Role::kNone, key);
      change.events[0].content = storage::RestrictionText(end);
      return;
    case Kind::kUnmute:
      if (user.muted_until <= now) return;
      return AddEvent(change, EventKind::kMemberUnmuted, actor, asked.user, Role::kNone, key);
    case Kind::kAdd:  // Decided as lists.
    case Kind::kRemove:
      return;
  }
}

}  // namespace

Room::Room(const storage::RoomSnapshot& snapshot, size_t pairs_limit)
    : id_(snapshot.room.id),
      created_at_(snapshot.room.created_at),
      member_seq_(snapshot.room.member_seq),
      pairs_limit_(pairs_limit) {
  Learn(snapshot);
}

bool Room::Learn(const storage::RoomSnapshot& snapshot) {
  if (snapshot.room.member_seq < member_seq_) return false;
  if (snapshot.room.member_seq > member_seq_) pairs_.clear();
  member_seq_ = snapshot.room.member_seq;
  settings_ = snapshot.room;
  for (const storage::MemberRecord& member : snapshot.members) {
    Insert(member.user, MembershipOf(member));
  }
  return true;
}

void Room::Apply(const NewEvent& event, int64_t seq, absl::Time at) {
  if (!ChangesRules(event.kind) || seq <= member_seq_) return;
  member_seq_ = seq;
  if (event.kind == EventKind::kRoomUpdated) {
    if (auto settings = storage::DecodeSettings(event.content)) settings_ = *std::move(settings);
    if (settings_.slow_mode_seconds == 0) slow_mode_.Clear();
    return;
  }
  const auto it = pairs_.find(event.subject);
  // Without it: what else holds for him is not known, and is loaded when asked for.
  if (it != pairs_.end()) control::Apply(event, seq, at, it->second.membership);
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

const Membership* Room::Peek(const UserId& user) const {
  const auto it = pairs_.find(user);
  return it == pairs_.end() ? nullptr : &it->second.membership;
}

Verdict Room::Permitted(const Membership& membership, RoomAct act, absl::Time now) const {
  const v1::Reason reason = Permit(act, StandingOf(membership, now), RulesOf(settings_));
  if (reason == v1::REASON_UNSPECIFIED) return Allow(membership);
  absl::Time end = now;
  if (reason == v1::REASON_BANNED) end = membership.banned_until;
  if (reason == v1::REASON_MUTED) end = membership.muted_until;
  return Refuse(reason, MessageOf(reason), MillisecondsUntil(end, now));
}

Verdict Room::Decide(const UserId& user, RoomAct act, absl::Time now) {
  const Membership* membership = Find(user);
  return membership == nullptr ? Load() : Permitted(*membership, act, now);
}

Verdict Room::DecidePost(const UserId& user, const DedupKey& key, absl::Time now) {
  const Verdict verdict = Decide(user, RoomAct::kPost, now);
  if (verdict.kind != Verdict::Kind::kAllow || settings_.slow_mode_seconds == 0 ||
      verdict.membership.role >= Role::kModerator) {
    return verdict;
  }
  const absl::Time next =
      slow_mode_.Post(user, key, absl::Seconds(settings_.slow_mode_seconds), now);
  if (next <= now) return verdict;
  return Refuse(v1::REASON_SLOW_MODE, "this room is in slow mode", MillisecondsUntil(next, now));
}

Verdict Room::DecideJoin(const UserId& user, absl::Time now) {
  const Membership* membership = Find(user);
  if (membership == nullptr) return Load();
  if (membership->role != Role::kNone) return Permitted(*membership, RoomAct::kSubscribe, now);
  Verdict verdict = Permitted(*membership, RoomAct::kJoin, now);
  if (verdict.kind == Verdict::Kind::kAllow) verdict.kind = Verdict::Kind::kEnroll;
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

void Room::CheckActor(const Actor& actor, absl::Span<const RoomAct> acts, absl::Time now,
                      MemberChange& change) {
  if (change.verdict.kind == Verdict::Kind::kRefuse) return;
  if (actor.id.empty()) return;
  const Membership* membership = Find(actor.id);
  if (membership == nullptr) {
    change.verdict = Load();
    change.missing.push_back(actor.id);
    return;
  }
  // Whoever is no member learns nothing but that.
  for (const RoomAct act : acts) {
    const Verdict verdict = Permitted(*membership, act, now);
    if (verdict.kind != Verdict::Kind::kAllow) change.verdict = verdict;
    if (verdict.kind != Verdict::Kind::kAllow) return;
  }
}

MemberChange Room::DecideEnroll(const Actor& user, const DedupKey& key) const {
  assert(settings_.is_public);
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
                             const DedupKey& key, absl::Time now) {
  MemberChange change;
  change.verdict = Allow({});
  std::vector<RoomAct> acts = {RoomAct::kManageMembers};
  for (const auto& [user, asked] : members) {
    const Membership* membership = Find(user);
    if (membership == nullptr) {
      change.missing.push_back(user);
      continue;
    }
    const Role own = membership->role == Role::kNone ? Role::kMember : membership->role;
    const Role role = asked == Role::kNone ? own : asked;
    if (membership->role == role) continue;
    acts.insert(acts.end(), {ActToManage(membership->role), ActToManage(role)});
    const bool is_new = membership->role == Role::kNone;
    AddEvent(change, is_new ? EventKind::kMemberAdded : EventKind::kMemberRoleChanged, actor, user,
             role, key);
  }
  if (!change.missing.empty()) change.verdict = Load();
  CheckActor(actor, acts, now, change);
  return change;
}

MemberChange Room::DecideRemove(const Actor& actor, absl::Span<const UserId> users,
                                const DedupKey& key, absl::Time now) {
  MemberChange change;
  change.verdict = Allow({});
  std::vector<RoomAct> acts = {RoomAct::kManageMembers};
  for (const UserId& user : users) {
    const Membership* membership = Find(user);
    if (membership == nullptr) {
      change.missing.push_back(user);
      continue;
    }
    if (membership->role == Role::kNone) continue;
    acts.push_back(ActToManage(membership->role));
    AddEvent(change, EventKind::kMemberRemoved, actor, user, Role::kNone, key);
  }
  if (!change.missing.empty()) change.verdict = Load();
  CheckActor(actor, acts, now, change);
  return change;
}

MemberChange Room::DecidePerson(const Actor& actor, const PersonChange& asked, const DedupKey& key,
                                absl::Time now) {
  using Kind = PersonChange::Kind;
  if (asked.kind == Kind::kAdd) return DecideAdd(actor, {{asked.user, asked.role}}, key, now);
  if (asked.kind == Kind::kRemove) return DecideRemove(actor, {asked.user}, key, now);
  MemberChange change;
  const Membership* found = Find(asked.user);
  if (found == nullptr) {
    change.verdict = Load();
    change.missing.push_back(asked.user);
    return change;
  }
  const Membership user = *found;
  change.verdict = Allow(user);
  const Role given = asked.kind == Kind::kRole ? asked.role : user.role;
  CheckActor(actor, {ActToManage(user.role), ActToManage(given)}, now, change);
  if (change.verdict.kind != Verdict::Kind::kAllow) return change;
  const bool is_of_members = asked.kind == Kind::kRole || asked.kind == Kind::kMute;
  if (is_of_members && user.role == Role::kNone) {
    change.verdict = Refuse(v1::REASON_MEMBER_NOT_FOUND, "this user is not a member of the room");
    return change;
  }
  AddPersonEvent(change, user, actor, asked, key, now);
  return change;
}

MemberChange Room::DecideUpdate(const Actor& actor, const v1::RoomChanges& changes,
                                const DedupKey& key, absl::Time now) {
  MemberChange change;
  change.verdict = Allow({});
  storage::RoomSettings after = settings_;
  const std::vector<std::string> changed = ApplyChanges(changes, after);
  std::vector<RoomAct> acts = {RoomAct::kShow};
  for (const std::string& name : changed) {
    const bool is_of_owners = name == "visibility" || name == "isArchived";
    acts.push_back(is_of_owners ? RoomAct::kOwnRoom : RoomAct::kModerateRoom);
  }
  CheckActor(actor, acts, now, change);
  if (change.verdict.kind != Verdict::Kind::kAllow || changed.empty()) return change;
  if (!IsWithinLimits(after.metadata)) {
    change.verdict =
        Refuse(v1::REASON_LIMIT_REACHED, "metadata: at most 32 keys and 4096 bytes together");
    return change;
  }
  AddEvent(change, EventKind::kRoomUpdated, actor, UserId(), Role::kNone, key);
  change.events[0].content = storage::EncodeSettings(after);
  change.events[0].type = absl::StrJoin(changed, ",");
  return change;
}

}  // namespace confab::control
