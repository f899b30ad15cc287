#include "tests/fakes/memory_store.h"

#include <algorithm>

#include <absl/time/clock.h>

#include "storage/inbox_plan.h"
#include "storage/log_page.h"
#include "storage/record_check.h"
#include "storage/restriction.h"
#include "storage/text_list.h"

namespace confab::storage {
namespace {

absl::Status NoSuchRoom() { return absl::NotFoundError("no such room"); }
absl::Status NotActive() {
  return absl::FailedPreconditionError("another process is active on this store");
}

absl::Time Now() { return absl::FromUnixMicros(absl::ToUnixMicros(absl::Now())); }
}  // namespace

class MemoryWriter : public StoreWriter {
 public:
  MemoryWriter(std::shared_ptr<MemoryDatabase> database, const MemoryStore* store)
      : database_(std::move(database)), store_(store) {}

  absl::StatusOr<std::vector<AppendOutcome>> Append(AppendBatch batch) override {
    if (auto status = CheckBatch(batch); !status.ok()) return status;
    const std::lock_guard lock(database_->mu_);
    if (database_->active_ != store_) return NotActive();
    AppendPlanner planner(batch);
    for (const RoomId* id : planner.rooms()) {
      if (const auto* room = database_->Find(*id)) {
        planner.SetRoom(*id, room->Locked());
      }
    }
    for (size_t i = 0; i < batch.size(); ++i) {
      const auto* room = database_->Find(batch[i].room);
      if (room == nullptr) continue;
      const std::string* message_id = AppendPlanner::TargetOf(batch[i]);
      if (const auto* target = message_id == nullptr ? nullptr : room->FindMessage(*message_id)) {
        planner.SetTarget(i, {target->seq, target->event.actor.id, target->marks.is_deleted});
      }
      const auto key = room->keys.find(MemoryDatabase::KeyOf(batch[i].events[0]));
      if (key == room->keys.end()) continue;
      const EventRecord& event = room->events[key->second];
      planner.SetStored(i, {event.seq, event.event.message_id, event.created_at});
    }
    auto plan = planner.Plan(absl::Now());
    if (!plan.ok()) return plan.status();
    if (auto status = database_->Apply(*plan); !status.ok()) return status;
    return std::move(plan->outcomes);
  }

  absl::StatusOr<RoomRecord> CreateRoom(const NewRoom& room) override {
    if (auto status = CheckNewRoom(room); !status.ok()) return status;
    const std::lock_guard lock(database_->mu_);
    if (database_->active_ != store_) return NotActive();
    if (database_->Find(room.id) != nullptr) return absl::AlreadyExistsError("the room exists");
    MemoryDatabase::Room& entry = database_->rooms_[room.id];
    const LockedRoom before = entry.Locked();
    entry.first_seq = before.last_seq + 1;
    const absl::Time now = Now();
    entry.record = {room, room.id, before.last_seq, before.last_seq, std::max(now, before.last_at)};
    entry.is_deleted = false;
    if (room.audit != nullptr) {
      const AuditRecord record = AuditOfNewRoom(room);
      database_->Record(absl::MakeConstSpan(&record, 1), now);
    }
    const AppendRequest first = FirstEvents(room, before);
    if (!first.events.empty()) {
      AppendPlanner planner(absl::MakeConstSpan(&first, 1));
      planner.SetRoom(room.id, before);
      auto plan = planner.Plan(now);
      if (!plan.ok()) return plan.status();
      if (auto status = database_->Apply(*plan); !status.ok()) return status;
    }
    return entry.record;
  }

  absl::StatusOr<std::vector<InboxOutcome>> WriteInboxes(
      absl::Span<const InboxWrite> batch) override {
    if (auto status = CheckInboxWrites(batch); !status.ok()) return status;
    const std::lock_guard lock(database_->mu_);
    if (database_->active_ != store_) return NotActive();
    return database_->Write(batch);
  }

  absl::Status SetFeedCursor(const FeedCursor& cursor) override {
    const std::lock_guard lock(database_->mu_);
    if (database_->active_ != store_) return NotActive();
    database_->cursors_[cursor.consumer] = cursor;
    return absl::OkStatus();
  }

  absl::Status DeleteFeedCursor(const std::string& consumer) override {
    const std::lock_guard lock(database_->mu_);
    if (database_->active_ != store_) return NotActive();
    return database_->cursors_.erase(consumer) > 0 ? absl::OkStatus()
                                                   : absl::NotFoundError("no such consumer");
  }

  absl::Status DeleteRoom(const RoomId& id, const AuditRecord* audit) override {
    const std::lock_guard lock(database_->mu_);
    if (database_->active_ != store_) return NotActive();
    MemoryDatabase::Room* room = database_->Find(id);
    if (room == nullptr) return NoSuchRoom();
    room->is_deleted = true;
    room->events.clear();
    room->members.clear();
    room->pointers.clear();
    room->retention = {};
    room->keys.clear();
    if (audit != nullptr) database_->Record(absl::MakeConstSpan(audit, 1), Now());
    return absl::OkStatus();
  }

  absl::Status WriteAudit(absl::Span<const AuditRecord> records) override {
    if (auto status = CheckAudit(records); !status.ok()) return status;
    const std::lock_guard lock(database_->mu_);
    if (database_->active_ != store_) return NotActive();
    database_->Record(records, Now());
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<PointerOutcome>> MovePointers(
      absl::Span<const PointerMove> moves) override {
    if (auto status = CheckMoves(moves); !status.ok()) return status;
    const std::lock_guard lock(database_->mu_);
    if (database_->active_ != store_) return NotActive();
    std::vector<PointerOutcome> outcomes;
    for (const PointerMove& move : moves) {
      PointerOutcome& outcome = outcomes.emplace_back();
      auto* room = database_->Find(move.room);
      if (room == nullptr) continue;
      outcome.is_room_there = true;
      outcome.has_moved = room->MovePointer(move.user, move.seq);
    }
    for (size_t i = 0; i < moves.size(); ++i) {
      if (!moves[i].is_asked || !outcomes[i].is_room_there) continue;
      auto* room = database_->Find(moves[i].room);
      outcomes[i].position = room->PositionAt(room->pointers[moves[i].user]);
      outcomes[i].members = static_cast<int32_t>(
          std::min<int64_t>(room->CountMembers(), PointerOutcome::kMembersCounted));
    }
    return outcomes;
  }

  absl::Status SetRetention(const RoomId& id, const Retention& retention,
                            const AuditRecord* audit) override {
    const std::lock_guard lock(database_->mu_);
    if (database_->active_ != store_) return NotActive();
    auto* room = database_->Find(id);
    if (room == nullptr) return NoSuchRoom();
    room->retention = retention;
    if (audit != nullptr) database_->Record(absl::MakeConstSpan(audit, 1), Now());
    return absl::OkStatus();
  }

  absl::StatusOr<TrimStep> Trim(const RoomId& id, int32_t rows) override {
    const std::lock_guard lock(database_->mu_);
    if (database_->active_ != store_) return NotActive();
    auto* room = database_->Find(id);
    if (room == nullptr) return NoSuchRoom();
    return room->Trim(absl::Now(), rows);
  }

  absl::StatusOr<EraseStep> Erase(const RoomId& id, const UserId& user, int64_t after_seq,
                                  int32_t rows) override {
    const std::lock_guard lock(database_->mu_);
    if (database_->active_ != store_) return NotActive();
    auto* room = database_->Find(id);
    if (room == nullptr) return NoSuchRoom();
    return room->Erase(user, after_seq, rows);
  }

  absl::StatusOr<PointerRepair> RepairPointers(absl::Duration window, const PointerRepair& from,
                                               int32_t rooms) override {
    const std::lock_guard lock(database_->mu_);
    PointerRepair next = from;
    if (next.since == absl::InfinitePast()) {
      absl::Time newest = absl::UnixEpoch();
      for (const auto& [id, room] : database_->rooms_) newest = std::max(newest, room.last_at);
      next.since = newest - window;
    }
    auto it = database_->rooms_.upper_bound(from.after);
    for (int32_t i = 0; i < rooms && it != database_->rooms_.end(); ++i, ++it) {
      next.after = it->first;
      for (const EventRecord& event : it->second.events) {
        if (event.created_at < next.since || event.event.actor.id.empty() ||
            event.event.kind != EventKind::kMessagePosted) {
          continue;
        }
        it->second.MovePointer(event.event.actor.id, event.seq);
      }
    }
    next.is_done = it == database_->rooms_.end();
    return next;
  }

 private:
  std::shared_ptr<MemoryDatabase> database_;
  const MemoryStore* store_;
};

MemoryStore::MemoryStore(std::shared_ptr<MemoryDatabase> database)
    : database_(std::move(database)) {}

MemoryStore::~MemoryStore() { LoseLockForTest(); }

void MemoryStore::LoseLockForTest() {
  const std::lock_guard lock(database_->mu_);
  if (database_->active_ == this) database_->active_ = nullptr;
}

absl::StatusOr<bool> MemoryStore::TryBecomeActive() {
  const std::lock_guard lock(database_->mu_);
  if (database_->active_ == nullptr) database_->active_ = this;
  return database_->active_ == this;
}

absl::StatusOr<bool> MemoryStore::IsActive() {
  const std::lock_guard lock(database_->mu_);
  return database_->active_ == this;
}

absl::StatusOr<std::unique_ptr<StoreWriter>> MemoryStore::OpenWriter() {
  if (!*IsActive()) return NotActive();
  return std::make_unique<MemoryWriter>(database_, this);
}

absl::StatusOr<RoomSnapshot> MemoryStore::ReadRoom(const RoomId& id,
                                                   absl::Span<const UserId> users) {
  const std::lock_guard lock(database_->mu_);
  const auto* room = database_->Find(id);
  if (room == nullptr) return NoSuchRoom();
  RoomSnapshot snapshot{room->record, {}};
  for (const UserId& user : users) {
    const auto it = room->members.find(user);
    snapshot.members.push_back(it == room->members.end() ? MemberRecord{user} : it->second);
  }
  return snapshot;
}

absl::StatusOr<EventPage> MemoryStore::ReadEvents(const EventQuery& asked) {
  const std::lock_guard lock(database_->mu_);
  auto* room = database_->Find(asked.room);
  if (room == nullptr) return NoSuchRoom();
  EventQuery query = asked;
  if (const absl::Time* time = TimeBound(asked)) {
    const auto at = std::find_if(room->events.begin(), room->events.end(),
                                 [&](const EventRecord& e) { return e.created_at >= *time; });
    query = BoundBySeq(asked, at == room->events.end() ? room->record.last_seq + 1 : at->seq);
  }
  EventPage page;
  page.last_seq = room->record.last_seq;
  page.member_seq = room->record.member_seq;
  const bool is_forward = query.after_seq >= 0;
  const auto& log = room->events;
  const auto behind = [](const EventRecord& event, int64_t seq) { return event.seq < seq; };
  const int64_t bound = is_forward             ? query.after_seq + 1
                        : query.before_seq < 0 ? page.last_seq + 1
                                               : query.before_seq;
  const auto first = std::lower_bound(log.begin(), log.end(), room->first_seq, behind);
  auto at = std::lower_bound(log.begin(), log.end(), std::max(bound, room->first_seq), behind);
  const auto end = is_forward ? log.end() : first;
  int64_t bytes = 0;
  while (at != end && static_cast<int32_t>(page.events.size()) < query.limit) {
    EventRecord event = is_forward ? *at : *(at - 1);
    const EventRecord* target = event.event.kind == EventKind::kMessageEdited
                                    ? room->FindEvent(event.event.target_seq)
                                    : nullptr;
    if (target != nullptr) MemoryDatabase::CopyContent(target->event, event.event);
    bytes += static_cast<int64_t>(event.event.content.size() + event.event.body.size() +
                                  EncodeUsers(event.event.mentions).size());
    if (bytes > query.bytes_limit && !page.events.empty()) break;
    page.events.push_back(std::move(event));
    at += is_forward ? 1 : -1;
  }
  page.more = at != end;
  if (!is_forward) std::reverse(page.events.begin(), page.events.end());
  return page;
}

absl::StatusOr<std::vector<RoomRecord>> MemoryStore::ListRooms(const RoomId& after,
                                                               const UserId& member,
                                                               int32_t limit) {
  const std::lock_guard lock(database_->mu_);
  std::vector<RoomRecord> rooms;
  for (auto it = database_->rooms_.upper_bound(after); it != database_->rooms_.end(); ++it) {
    if (static_cast<int32_t>(rooms.size()) >= limit) break;
    const auto& room = it->second;
    if (room.is_deleted) continue;
    if (!member.empty()) {
      const auto pair = room.members.find(member);
      if (pair == room.members.end() || pair->second.role == Role::kNone) continue;
    }
    rooms.push_back(room.record);
  }
  return rooms;
}

absl::StatusOr<std::vector<MembershipRecord>> MemoryStore::ListMemberships(const UserId& user,
                                                                           const RoomId& after,
                                                                           int32_t limit) {
  const std::lock_guard lock(database_->mu_);
  std::vector<MembershipRecord> memberships;
  for (auto it = database_->rooms_.upper_bound(after); it != database_->rooms_.end(); ++it) {
    if (static_cast<int32_t>(memberships.size()) >= limit) break;
    auto& room = it->second;
    const auto pair = room.members.find(user);
    if (room.is_deleted || pair == room.members.end() || pair->second.role == Role::kNone) continue;
    memberships.push_back({room.record, pair->second.role, room.PositionAt(room.pointers[user])});
  }
  return memberships;
}

absl::StatusOr<std::vector<RoomId>> MemoryStore::ListRetained(const RoomId& after, int32_t limit) {
  const std::lock_guard lock(database_->mu_);
  std::vector<RoomId> rooms;
  for (auto it = database_->rooms_.upper_bound(after); it != database_->rooms_.end(); ++it) {
    if (static_cast<int32_t>(rooms.size()) >= limit) break;
    if (!it->second.is_deleted && !(it->second.retention == Retention{}))
      rooms.push_back(it->first);
  }
  return rooms;
}

absl::StatusOr<Retention> MemoryStore::ReadRetention(const RoomId& id) {
  const std::lock_guard lock(database_->mu_);
  const auto* room = database_->Find(id);
  if (room == nullptr) return NoSuchRoom();
  return room->retention;
}

absl::StatusOr<std::vector<RoomId>> MemoryStore::ListRoomsEver(const UserId& user,
                                                               const RoomId& after, int32_t limit) {
  const std::lock_guard lock(database_->mu_);
  std::vector<RoomId> rooms;
  for (auto it = database_->rooms_.upper_bound(after); it != database_->rooms_.end(); ++it) {
    if (static_cast<int32_t>(rooms.size()) >= limit) break;
    if (it->second.members.contains(user)) rooms.push_back(it->first);
  }
  return rooms;
}

absl::StatusOr<ReadPosition> MemoryStore::ReadPositionAt(const RoomId& id, int64_t seq) {
  const std::lock_guard lock(database_->mu_);
  const auto* room = database_->Find(id);
  if (room == nullptr) return NoSuchRoom();
  return room->PositionAt(seq);
}

absl::StatusOr<std::vector<MemberRecord>> MemoryStore::ListMembers(const RoomId& id,
                                                                   MemberFilter filter,
                                                                   const UserId& after,
                                                                   int32_t limit) {
  const std::lock_guard lock(database_->mu_);
  const auto* room = database_->Find(id);
  if (room == nullptr) return NoSuchRoom();
  std::vector<MemberRecord> members;
  for (auto it = room->members.upper_bound(after); it != room->members.end(); ++it) {
    if (static_cast<int32_t>(members.size()) >= limit) break;
    const MemberRecord& member = it->second;
    const bool is_wanted = filter == MemberFilter::kBanned ? member.banned_until > absl::Now()
                                                           : member.role != Role::kNone;
    if (is_wanted) members.push_back(member);
  }
  return members;
}

absl::StatusOr<std::vector<AuditRecord>> MemoryStore::ListAudit(const AuditQuery& query) {
  const std::lock_guard lock(database_->mu_);
  std::vector<AuditRecord> records;
  for (auto it = database_->audit_.rbegin(); it != database_->audit_.rend(); ++it) {
    if (static_cast<int32_t>(records.size()) >= query.limit) break;
    if (query.before_id > 0 && it->id >= query.before_id) continue;
    if (!query.room.empty() && it->room != query.room) continue;
    if (!query.actor.empty() && it->actor != query.actor) continue;
    if (!query.subject.empty() && it->subject != query.subject) continue;
    records.push_back(*it);
  }
  return records;
}

absl::StatusOr<int64_t> MemoryStore::CountMembers(const RoomId& id) {
  const std::lock_guard lock(database_->mu_);
  const auto* room = database_->Find(id);
  if (room == nullptr) return NoSuchRoom();
  return room->CountMembers();
}

absl::StatusOr<std::vector<InboxHead>> MemoryStore::ReadInboxHeads(absl::Span<const UserId> users) {
  const std::lock_guard lock(database_->mu_);
  std::vector<InboxHead> heads;
  for (const UserId& user : users) {
    const auto it = database_->inboxes_.find(user);
    heads.push_back(it == database_->inboxes_.end() ? InboxHead{} : it->second.head);
  }
  return heads;
}

absl::StatusOr<InboxOutcome> MemoryStore::FindInboxKey(const UserId& user, const std::string& key,
                                                       absl::Time since) {
  const std::lock_guard lock(database_->mu_);
  const auto& keys = database_->inboxes_[user].keys;
  const auto it = keys.find(key);
  if (it == keys.end() || it->second.created_at < since) return InboxOutcome();
  InboxOutcome first = it->second;
  first.is_duplicate = true;
  return first;
}

absl::StatusOr<InboxPage> MemoryStore::ReadInbox(const InboxQuery& query) {
  const std::lock_guard lock(database_->mu_);
  const auto& inbox = database_->inboxes_[query.user];
  InboxPageCutter cutter(query, inbox.head);
  int64_t rows = 0;
  for (auto it = inbox.entries.upper_bound(cutter.after_seq());
       it != inbox.entries.end() && rows < cutter.rows_limit(); ++it, ++rows) {
    if (!cutter.Add({it->first, it->second})) break;
  }
  return cutter.Finish();
}

absl::StatusOr<FeedPage> MemoryStore::ReadFeed(const FeedPosition& after, int32_t limit) {
  const std::lock_guard lock(database_->mu_);
  FeedPage page;
  const auto& feed = database_->feed_;
  for (auto at = feed.begin() + after.number; at != feed.end(); ++at) {
    const auto* room = database_->Find(at->room);
    if (room == nullptr || room->events.empty() || at->seq < room->events.front().seq) continue;
    if (static_cast<int32_t>(page.events.size()) == std::max(limit, 1)) return page;
    page.events.push_back(*at);
  }
  page.at_end = static_cast<int32_t>(page.events.size()) < std::max(limit, 1);
  return page;
}

absl::StatusOr<FeedPosition> MemoryStore::ReadFeedEnd() {
  const std::lock_guard lock(database_->mu_);
  return FeedPosition{static_cast<int64_t>(database_->feed_.size()), RoomId(), 0};
}

absl::StatusOr<std::vector<FeedCursor>> MemoryStore::ListFeedCursors() {
  const std::lock_guard lock(database_->mu_);
  std::vector<FeedCursor> cursors;
  for (const auto& [consumer, cursor] : database_->cursors_) cursors.push_back(cursor);
  return cursors;
}

absl::Status MemoryStore::Ping() { return absl::OkStatus(); }

}  // namespace confab::storage
