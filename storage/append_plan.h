// append_plan.h: what one batch does to the store, decided once for every backend.
// A backend locks the rooms, looks the dedup keys up, plans, and writes the plan down.
// Threads: pure; caller serialises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "storage/append_batch.h"
#include "storage/audit.h"
#include "storage/records.h"

namespace confab::storage {

// A room as its locked row has it.
struct LockedRoom {
  int64_t last_seq = 0;
  int64_t member_seq = 0;
  absl::Time last_at = absl::UnixEpoch();
  int64_t ordinal = 0;    // Messages so far.
  int64_t first_seq = 1;  // Oldest event that is kept.
};

// The event that a dedup key led to.
struct StoredKey {
  int64_t seq = 0;
  std::string message_id;
  absl::Time created_at;
};

// The message that an edit, a deletion or an answer names.
struct StoredTarget {
  int64_t seq = 0;
  UserId actor;
  bool is_deleted = false;
};

struct PlannedEvent {
  const RoomId* room = nullptr;
  const NewEvent* event = nullptr;
  int64_t seq = 0;
  absl::Time created_at;
  int64_t ordinal = 0;     // Messages up to and including it.
  int64_t target_seq = 0;  // Of an edit or deletion.
};

// A message's row as the batch leaves it.
struct PlannedTarget {
  const RoomId* room = nullptr;
  int64_t seq = 0;
  const NewEvent* event = nullptr;  // The last edit, or the deletion.
  int64_t edited_seq = 0;           // 0: stays as it is.
  int64_t deleted_seq = 0;          // 0: not deleted.
};

struct PlannedRoom {
  const RoomId* id = nullptr;
  LockedRoom after;
  std::optional<RoomSettings> settings;  // Empty: they stay.
};

struct PlannedMember {
  static constexpr int64_t kStays = -1;

  const RoomId* room = nullptr;
  const UserId* user = nullptr;
  Role role = Role::kNone;
  int64_t changed_seq = 0;  // 0: role and what comes with it stay as they are.
  absl::Time changed_at;
  int64_t banned_until = kStays;  // As the column (restriction.h), or kStays.
  int64_t muted_until = kStays;
  // Of one who was added: what was in the log then counts as read.
  int64_t joined_seq = 0;
  int64_t joined_ordinal = 0;
};

// Points into the batch it was made from.
struct AppendPlan {
  std::vector<AppendOutcome> outcomes;  // One for each request, in order.
  std::vector<PlannedEvent> events;     // To insert.
  std::vector<PlannedRoom> rooms;       // To update: those with events.
  std::vector<PlannedMember> members;   // To upsert: one for each (room, user), the last state.
  std::vector<PlannedTarget> targets;   // To update: one for each message, the last state.
  std::vector<AuditRecord> audits;      // To insert; `at` is the batch's clock.
};

class AppendPlanner {
 public:
  // REQUIRES: CheckBatch(batch) is OK; the batch outlives planner and plan.
  explicit AppendPlanner(AppendBatch batch);

  // The distinct rooms by id: the one order in which every writer locks.
  const std::vector<const RoomId*>& rooms() const { return rooms_; }

  // What the lock found. A room that is never set does not exist.
  void SetRoom(const RoomId& id, const LockedRoom& room);
  bool HasRoom(size_t request) const { return states_[room_of_[request]].has_value(); }

  // What the look-up of the first event's key found.
  void SetStored(size_t request, StoredKey stored);

  // The message_id that must be looked up for the request; nullptr: none.
  static const std::string* TargetOf(const AppendRequest& request);
  // What that look-up found in the request's room. Never set: there is no such message.
  void SetTarget(size_t request, StoredTarget target);

  // `now` is the clock after the locks. INVALID_ARGUMENT: a further event's key is taken within
  // the batch.
  absl::StatusOr<AppendPlan> Plan(absl::Time now);

 private:
  AppendBatch batch_;
  std::vector<const RoomId*> rooms_;
  std::vector<size_t> room_of_;                    // Request -> index of its room.
  std::vector<std::optional<LockedRoom>> states_;  // By room.
  std::vector<std::optional<StoredKey>> stored_;   // By request.
  // By request; empty if none has a target.
  absl::flat_hash_map<size_t, StoredTarget> targets_;
};

// The first events of a new room: one request with a kMemberAdded for each member, to be planned
// after `before` (the row of a deleted room, or zeros). No events if there are no members.
AppendRequest FirstEvents(const NewRoom& room, const LockedRoom& before);

// REQUIRES: room.audit is there.
AuditRecord AuditOfNewRoom(const NewRoom& room);

}  // namespace confab::storage
