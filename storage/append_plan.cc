#include "storage/append_plan.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <fmt/format.h>

#include "storage/restriction.h"

namespace confab::storage {
namespace {

// A dedup key with what it is unique in.
struct BatchKey {
  size_t room = 0;
  std::string_view actor;
  DedupKey::Space space = DedupKey::Space::kEdge;
  std::string_view key;
  friend bool operator==(const BatchKey&, const BatchKey&) = default;
};

struct BatchKeyHash {
  size_t operator()(const BatchKey& k) const {
    const std::hash<std::string_view> hash;
    size_t value = hash(k.key);
    for (const size_t part : {hash(k.actor), k.room, static_cast<size_t>(k.space)}) {
      value = value * 0x9E3779B97F4A7C15u + part;
    }
    return value;
  }
};

struct UserOfRoom {
  size_t room = 0;
  UserId user;
  friend bool operator==(const UserOfRoom&, const UserOfRoom&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const UserOfRoom& u) {
    return H::combine(std::move(state), u.room, u.user);
  }
};

// What an event makes of its user's pair.
PlannedMember MemberAfter(const RoomId& room, const NewEvent& event, int64_t seq, absl::Time at) {
  PlannedMember member;
  member.room = &room;
  member.user = &event.subject;
  const auto change_role = [&](Role role) {
    member.role = role;
    member.changed_seq = seq;
    member.changed_at = at;
  };
  switch (event.kind) {
    case EventKind::kMemberAdded:
      change_role(event.role);
      member.banned_until = 0;
      break;
    case EventKind::kMemberRemoved:
      change_role(Role::kNone);
      break;
    case EventKind::kMemberRoleChanged:
      change_role(event.role);
      break;
    case EventKind::kMemberBanned:
      if (event.role != Role::kNone) change_role(Role::kNone);
      member.banned_until = RestrictionColumn(*ReadRestriction(event.content));
      break;
    case EventKind::kMemberUnbanned:
      member.banned_until = 0;
      break;
    case EventKind::kMemberMuted:
      member.muted_until = RestrictionColumn(*ReadRestriction(event.content));
      break;
    case EventKind::kMemberUnmuted:
      member.muted_until = 0;
      break;
    case EventKind::kMessagePosted:
    case EventKind::kMessageEdited:
    case EventKind::kMessageDeleted:
    case EventKind::kRoomUpdated:
    case EventKind::kNotificationPosted:
      break;
  }
  return member;
}

// `later` over `earlier` of the same pair.
void Merge(const PlannedMember& later, PlannedMember& earlier) {
  if (later.changed_seq > 0) {
    earlier.role = later.role;
    earlier.changed_seq = later.changed_seq;
    earlier.changed_at = later.changed_at;
  }
  if (later.banned_until != PlannedMember::kStays) earlier.banned_until = later.banned_until;
  if (later.muted_until != PlannedMember::kStays) earlier.muted_until = later.muted_until;
  if (later.joined_seq > 0) {
    earlier.joined_seq = later.joined_seq;
    earlier.joined_ordinal = later.joined_ordinal;
  }
}

struct MessageOfRoom {
  size_t room = 0;
  int64_t seq = 0;
  friend bool operator==(const MessageOfRoom&, const MessageOfRoom&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const MessageOfRoom& m) {
    return H::combine(std::move(state), m.room, m.seq);
  }
};

AppendOutcome Duplicate(const StoredKey& stored, int64_t member_seq) {
  return {AppendOutcome::Kind::kDuplicate, stored.seq, stored.message_id, stored.created_at,
          member_seq};
}

// Goes through the batch once, in order.
class Walk {
 public:
  Walk(std::vector<std::optional<LockedRoom>> states, absl::Time now)
      : states_(std::move(states)),
        now_(now),
        touched_(states_.size(), false),
        settings_(states_.size()) {}

  // `target`: what the look-up of AppendPlanner::TargetOf found; nullptr: nothing, or none made.
  absl::Status Add(const AppendRequest& request, size_t room,
                   const std::optional<StoredKey>& stored, const StoredTarget* target) {
    AppendOutcome& outcome = plan.outcomes.emplace_back();
    if (!states_[room]) return absl::OkStatus();
    const int64_t member_seq = states_[room]->member_seq;
    if (stored) {
      outcome = Duplicate(*stored, member_seq);
      return absl::OkStatus();
    }
    if (const auto earlier = keys_.find(KeyOf(request.events[0], room)); earlier != keys_.end()) {
      outcome = Duplicate(StoredOf(plan.events[earlier->second]), member_seq);
      return absl::OkStatus();
    }
    if (request.expected_member_seq != member_seq) {
      outcome.kind = AppendOutcome::Kind::kStaleMembers;
      outcome.member_seq = member_seq;
      return absl::OkStatus();
    }
    if (AppendPlanner::TargetOf(request) != nullptr) {
      outcome.kind = CheckTarget(request, room, target);
      if (outcome.kind != AppendOutcome::Kind::kStored) return absl::OkStatus();
      outcome.target_seq = ChangesMessage(request.events[0].kind) ? target->seq : 0;
    }
    return Store(request, room, target, outcome);
  }

  void Finish(const std::vector<const RoomId*>& rooms) {
    for (size_t room = 0; room < rooms.size(); ++room) {
      if (!touched_[room]) continue;
      plan.rooms.push_back({rooms[room], *states_[room], std::move(settings_[room])});
    }
  }

  AppendPlan plan;

 private:
  static BatchKey KeyOf(const NewEvent& event, size_t room) {
    return {room, event.actor.id.value, event.dedup.space, event.dedup.key};
  }
  static StoredKey StoredOf(const PlannedEvent& event) {
    return {event.seq, event.event->message_id, event.created_at};
  }

  // kStored: the target is as the request needs it.
  AppendOutcome::Kind CheckTarget(const AppendRequest& request, size_t room,
                                  const StoredTarget* target) const {
    if (target == nullptr || target->is_deleted || target->seq < states_[room]->first_seq) {
      return AppendOutcome::Kind::kNoTarget;
    }
    if (request.is_own_only && target->actor != request.events[0].actor.id) {
      return AppendOutcome::Kind::kNotOwn;
    }
    const auto planned = targets_.find(MessageOfRoom{room, target->seq});
    const bool is_gone = planned != targets_.end() && plan.targets[planned->second].deleted_seq > 0;
    return is_gone ? AppendOutcome::Kind::kNoTarget : AppendOutcome::Kind::kStored;
  }

  absl::Status Store(const AppendRequest& request, size_t room, const StoredTarget* target,
                     AppendOutcome& outcome) {
    LockedRoom& state = *states_[room];
    state.last_at = std::max(state.last_at, now_);
    touched_[room] = true;
    outcome.kind = AppendOutcome::Kind::kStored;
    outcome.first_seq = state.last_seq + 1;
    outcome.message_id = request.events[0].message_id;
    outcome.created_at = state.last_at;
    for (const NewEvent& event : request.events) {
      if (!keys_.emplace(KeyOf(event, room), plan.events.size()).second) {
        return absl::InvalidArgumentError(
            fmt::format("dedup key {} comes twice in one batch", event.dedup.key));
      }
      if (event.kind == EventKind::kMessagePosted) ++state.ordinal;
      plan.events.push_back({&request.room, &event, ++state.last_seq, state.last_at, state.ordinal,
                             ChangesMessage(event.kind) ? outcome.target_seq : 0});
      if (ChangesRules(event.kind)) SetRules(request.room, room, event, state);
      if (ChangesMessage(event.kind)) SetTarget(plan.events.back(), room);
      if (request.audit != nullptr) Record(request, event, target, state);
    }
    outcome.member_seq = state.member_seq;
    return absl::OkStatus();
  }

  void SetRules(const RoomId& id, size_t room, const NewEvent& event, LockedRoom& state) {
    state.member_seq = state.last_seq;
    if (event.kind == EventKind::kRoomUpdated) {
      settings_[room] = DecodeSettings(event.content);
      return;
    }
    PlannedMember member = MemberAfter(id, event, state.last_seq, state.last_at);
    if (event.kind == EventKind::kMemberAdded) {
      member.joined_seq = state.last_seq;
      member.joined_ordinal = state.ordinal;
    }
    const auto [entry, is_new] =
        members_.try_emplace(UserOfRoom{room, event.subject}, plan.members.size());
    if (is_new) {
      plan.members.push_back(member);
    } else {
      Merge(member, plan.members[entry->second]);
    }
  }

  void SetTarget(const PlannedEvent& change, size_t room) {
    const auto [entry, is_new] =
        targets_.try_emplace(MessageOfRoom{room, change.target_seq}, plan.targets.size());
    if (is_new) plan.targets.push_back({change.room, change.target_seq});
    PlannedTarget& target = plan.targets[entry->second];
    target.event = change.event;
    if (change.event->kind == EventKind::kMessageDeleted) {
      target.deleted_seq = change.seq;
    } else {
      target.edited_seq = change.seq;
    }
  }

  // What somebody makes of a message of his own is recorded nowhere but in the log.
  void Record(const AppendRequest& request, const NewEvent& event, const StoredTarget* target,
              const LockedRoom& state) {
    const bool is_of_message = ChangesMessage(event.kind);
    if (is_of_message && target->actor == event.actor.id) return;
    AuditRecord& record = plan.audits.emplace_back();
    record.at = now_;
    record.actor = event.actor.id;
    record.note = *request.audit;
    record.room = request.room;
    record.subject = is_of_message ? target->actor : event.subject;
    record.seq = state.last_seq;
  }

  std::vector<std::optional<LockedRoom>> states_;
  absl::Time now_;
  std::vector<bool> touched_;
  std::vector<std::optional<RoomSettings>> settings_;         // By room.
  absl::flat_hash_map<BatchKey, size_t, BatchKeyHash> keys_;  // -> index in plan.events
  absl::flat_hash_map<UserOfRoom, size_t> members_;           // -> index in plan.members
  absl::flat_hash_map<MessageOfRoom, size_t> targets_;        // -> index in plan.targets
};

}  // namespace

AppendPlanner::AppendPlanner(AppendBatch batch)
    : batch_(batch), room_of_(batch.size()), stored_(batch.size()) {
  std::vector<size_t> by_room(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) by_room[i] = i;
  std::sort(by_room.begin(), by_room.end(),
            [&](size_t a, size_t b) { return batch[a].room < batch[b].room; });
  for (const size_t request : by_room) {
    if (rooms_.empty() || *rooms_.back() != batch[request].room) {
      rooms_.push_back(&batch[request].room);
    }
    room_of_[request] = rooms_.size() - 1;
  }
  states_.resize(rooms_.size());
}

void AppendPlanner::SetRoom(const RoomId& id, const LockedRoom& room) {
  const auto it = std::lower_bound(rooms_.begin(), rooms_.end(), id,
                                   [](const RoomId* a, const RoomId& b) { return *a < b; });
  if (it == rooms_.end() || **it != id) return;
  states_[static_cast<size_t>(it - rooms_.begin())] = room;
}

void AppendPlanner::SetStored(size_t request, StoredKey stored) {
  stored_[request] = std::move(stored);
}

const std::string* AppendPlanner::TargetOf(const AppendRequest& request) {
  const NewEvent& first = request.events[0];
  if (ChangesMessage(first.kind)) return &first.message_id;
  return first.reply_to.empty() ? nullptr : &first.reply_to;
}

void AppendPlanner::SetTarget(size_t request, StoredTarget target) {
  targets_[request] = std::move(target);
}

absl::StatusOr<AppendPlan> AppendPlanner::Plan(absl::Time now) {
  // Microseconds are what is stored, so they are what is answered.
  Walk walk(states_, absl::FromUnixMicros(absl::ToUnixMicros(now)));
  walk.plan.outcomes.reserve(batch_.size());
  walk.plan.events.reserve(batch_.size());
  for (size_t i = 0; i < batch_.size(); ++i) {
    const auto target = targets_.find(i);
    const auto status = walk.Add(batch_[i], room_of_[i], stored_[i],
                                 target == targets_.end() ? nullptr : &target->second);
    if (!status.ok()) return status;
  }
  walk.Finish(rooms_);
  return std::move(walk.plan);
}

AppendRequest FirstEvents(const NewRoom& room, const LockedRoom& before) {
  AppendRequest request;
  request.room = room.id;
  request.expected_member_seq = before.member_seq;
  int64_t seq = before.last_seq;
  for (const auto& [user, role] : room.members) {
    NewEvent& event = request.events.emplace_back();
    event.kind = EventKind::kMemberAdded;
    event.actor = room.creator;
    // A service's own keys start with the service's name, so none starts with a slash.
    event.dedup = {DedupKey::Space::kService, fmt::format("/create/{}", ++seq)};
    event.subject = user;
    event.role = role;
  }
  return request;
}

AuditRecord AuditOfNewRoom(const NewRoom& room) {
  AuditRecord record;
  record.actor = room.creator.id;
  record.note = *room.audit;
  record.room = room.id;
  return record;
}

}  // namespace confab::storage
