#include "storage/sqlite/sqlite_writer.h"

#include <algorithm>
#include <utility>

#include <absl/time/clock.h>
#include <fmt/format.h>

#include "storage/record_check.h"
#include "storage/room_state.h"
#include "storage/text_list.h"

namespace confab::storage {
namespace {

constexpr std::string_view kFindRoom =
    "SELECT state, last_seq, member_seq, last_at, ordinal, first_seq FROM rooms WHERE id = ?1";
constexpr std::string_view kFindKey =
    "SELECT seq, message_id, created_at FROM events "
    "WHERE room_id = ?1 AND actor_id = ?2 AND dedup_key = ?3";
// By the message's own index: the plus keeps the room's out of the choice.
constexpr std::string_view kFindTarget =
    "SELECT seq, actor_id, deleted_seq FROM events "
    "WHERE message_id = ?2 AND kind = 1 AND +room_id = ?1";
constexpr std::string_view kInsertEvent =
    "INSERT INTO events (room_id, seq, kind, created_at, actor_id, actor_name, actor_email,"
    " dedup_key, message_id, type, content, reply_to, subject, role, body, mentions, target_seq,"
    " ordinal) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
constexpr std::string_view kUpdateTarget =
    "UPDATE events SET content = ?3, body = ?4, mentions = ?5,"
    " edited_seq = CASE WHEN ?6 > 0 THEN ?6 ELSE edited_seq END, deleted_seq = ?7 "
    "WHERE room_id = ?1 AND seq = ?2";
constexpr std::string_view kUpdateRoom =
    "UPDATE rooms SET last_seq = ?2, member_seq = ?3, last_at = ?4, ordinal = ?5 WHERE id = ?1";
constexpr std::string_view kUpsertMember =
    "INSERT INTO members (room_id, user_id, role, changed_seq, changed_at, banned_until,"
    " muted_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (room_id, user_id) DO UPDATE "
    "SET role = iif(excluded.changed_seq > 0, excluded.role, role),"
    " changed_seq = iif(excluded.changed_seq > 0, excluded.changed_seq, changed_seq),"
    " changed_at = iif(excluded.changed_seq > 0, excluded.changed_at, changed_at),"
    " banned_until = iif(excluded.banned_until < 0, banned_until, excluded.banned_until),"
    " muted_until = iif(excluded.muted_until < 0, muted_until, excluded.muted_until)";
constexpr std::string_view kSetSettings =
    "UPDATE rooms SET topic = ?2, is_public = ?3, is_archived = ?4, is_read_only = ?5,"
    " slow_mode_s = ?6, metadata = ?7 WHERE id = ?1";
// What was in the log when somebody joined counts as read.
constexpr std::string_view kAddPointer =
    "INSERT INTO read_pointers (room_id, user_id, seq, ordinal, updated_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (room_id, user_id) DO UPDATE "
    "SET seq = excluded.seq, ordinal = excluded.ordinal, updated_at = excluded.updated_at "
    "WHERE seq < excluded.seq";
constexpr std::string_view kUpsertRoom =
    "INSERT INTO rooms (id, topic, is_public, first_seq, last_seq, member_seq, created_at,"
    " last_at, state) VALUES (?1, ?2, ?3, ?4 + 1, ?4, ?4, ?5, ?5, 0) "
    "ON CONFLICT (id) DO UPDATE SET topic = excluded.topic, is_public = excluded.is_public,"
    " first_seq = excluded.first_seq, member_seq = excluded.member_seq,"
    " created_at = excluded.created_at, last_at = excluded.last_at, state = 0,"
    " gone_ordinal = ordinal, retain_micros = 0, retain_messages = 0";
constexpr std::string_view kSetState =
    "UPDATE rooms SET state = ?2, topic = '', metadata = '' WHERE id = ?1";
constexpr std::string_view kNextToPurge = "SELECT id FROM rooms WHERE state = 1 LIMIT 1";
constexpr std::string_view kPurgeMembers =
    "DELETE FROM members WHERE room_id = ?1 AND user_id IN"
    " (SELECT user_id FROM members WHERE room_id = ?1 ORDER BY user_id LIMIT ?2) RETURNING 1";
constexpr std::string_view kPurgePointers =
    "DELETE FROM read_pointers WHERE room_id = ?1 AND user_id IN"
    " (SELECT user_id FROM read_pointers WHERE room_id = ?1 ORDER BY user_id LIMIT ?2)"
    " RETURNING 1";
constexpr std::string_view kPurgeEvents =
    "DELETE FROM events WHERE room_id = ?1 AND seq IN"
    " (SELECT seq FROM events WHERE room_id = ?1 ORDER BY seq LIMIT ?2) RETURNING 1";

std::string DedupText(const DedupKey& key) { return static_cast<char>(key.space) + key.key; }

}  // namespace

struct SqliteWriter::RoomRow {
  RoomState state = RoomState::kPurged;  // Also if there never was a row.
  LockedRoom room;
};

absl::StatusOr<std::unique_ptr<SqliteWriter>> SqliteWriter::Open(const std::string& path) {
  auto connection = SqliteConnection::Open(path, false);
  if (!connection.ok()) return connection.status();
  std::unique_ptr<SqliteWriter> writer(new SqliteWriter(*std::move(connection)));
  if (auto status = writer->PrepareAll(); !status.ok()) return status;
  writer->Purge(kPurgeLimit).IgnoreError();  // Tried again at the next deletion or opening.
  return writer;
}

SqliteWriter::SqliteWriter(std::unique_ptr<SqliteConnection> connection)
    : connection_(std::move(connection)), pointers_(*connection_), upkeep_(*connection_) {}

absl::Status SqliteWriter::PrepareAll() {
  if (auto status = pointers_.Prepare(); !status.ok()) return status;
  if (auto status = upkeep_.Prepare(); !status.ok()) return status;
  const std::pair<SqliteStatement*, std::string_view> statements[] = {
      {&find_room_, kFindRoom},         {&find_key_, kFindKey},
      {&find_target_, kFindTarget},     {&update_target_, kUpdateTarget},
      {&add_pointer_, kAddPointer},     {&purge_pointers_, kPurgePointers},
      {&insert_event_, kInsertEvent},   {&update_room_, kUpdateRoom},
      {&upsert_member_, kUpsertMember}, {&upsert_room_, kUpsertRoom},
      {&set_state_, kSetState},         {&next_to_purge_, kNextToPurge},
      {&purge_members_, kPurgeMembers}, {&purge_events_, kPurgeEvents},
      {&set_settings_, kSetSettings},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = connection_->Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  if (auto status = feed_.Prepare(*connection_); !status.ok()) return status;
  if (auto status = inboxes_.Prepare(*connection_); !status.ok()) return status;
  return audit_.Prepare(*connection_);
}

absl::StatusOr<std::vector<AppendOutcome>> SqliteWriter::Append(AppendBatch batch) {
  if (auto status = CheckBatch(batch); !status.ok()) return status;
  SqliteTransaction transaction(*connection_);
  // The whole file is the lock, so there is no order of rooms to keep.
  if (auto status = transaction.Begin("BEGIN IMMEDIATE"); !status.ok()) return status;
  AppendPlanner planner(batch);
  if (auto status = LookUpRooms(planner); !status.ok()) return status;
  if (auto status = LookUpKeys(batch, planner); !status.ok()) return status;
  if (auto status = LookUpTargets(batch, planner); !status.ok()) return status;
  auto plan = planner.Plan(absl::Now());
  if (!plan.ok()) return plan.status();
  if (auto status = Write(*plan); !status.ok()) return status;
  if (auto status = transaction.Commit(); !status.ok()) return status;
  return std::move(plan->outcomes);
}

absl::Status SqliteWriter::LookUpRooms(AppendPlanner& planner) {
  for (const RoomId* id : planner.rooms()) {
    const auto row = FindRow(*id);
    if (!row.ok()) return row.status();
    if (row->state == RoomState::kThere) planner.SetRoom(*id, row->room);
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::LookUpKeys(AppendBatch batch, AppendPlanner& planner) {
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!planner.HasRoom(i)) continue;
    const NewEvent& first = batch[i].events[0];
    const std::string key = DedupText(first.dedup);
    find_key_.Bind(batch[i].room.value, first.actor.id.value, key);
    const auto has_row = find_key_.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) continue;
    planner.SetStored(
        i, {find_key_.Int(0), find_key_.Text(1), absl::FromUnixMicros(find_key_.Int(2))});
    find_key_.Reset();
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::LookUpTargets(AppendBatch batch, AppendPlanner& planner) {
  for (size_t i = 0; i < batch.size(); ++i) {
    const std::string* message_id = AppendPlanner::TargetOf(batch[i]);
    if (message_id == nullptr) continue;
    find_target_.Bind(batch[i].room.value, *message_id);
    const auto has_row = find_target_.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) continue;
    planner.SetTarget(i,
                      {find_target_.Int(0), UserId(find_target_.Text(1)), find_target_.Int(2) > 0});
    find_target_.Reset();
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::Write(const AppendPlan& plan) {
  for (const PlannedEvent& event : plan.events) {
    if (auto status = WriteEvent(event); !status.ok()) return status;
  }
  for (const PlannedTarget& target : plan.targets) {
    if (auto status = WriteTarget(target); !status.ok()) return status;
  }
  for (const auto& [id, after, settings] : plan.rooms) {
    auto status = update_room_.Run(id->value, after.last_seq, after.member_seq,
                                   absl::ToUnixMicros(after.last_at), after.ordinal);
    if (!status.ok()) return status;
    if (!settings) continue;
    if (status = WriteSettings(*id, *settings); !status.ok()) return status;
  }
  for (const PlannedMember& member : plan.members) {
    auto status = upsert_member_.Run(member.room->value, member.user->value,
                                     static_cast<int64_t>(member.role), member.changed_seq,
                                     absl::ToUnixMicros(member.changed_at), member.banned_until,
                                     member.muted_until);
    if (!status.ok()) return status;
    if (member.joined_seq == 0) continue;
    status = add_pointer_.Run(member.room->value, member.user->value, member.joined_seq,
                              member.joined_ordinal, absl::ToUnixMicros(member.changed_at));
    if (!status.ok()) return status;
  }
  if (plan.audits.empty()) return absl::OkStatus();
  return audit_.Write(plan.audits, plan.audits.front().at);
}

absl::Status SqliteWriter::WriteSettings(const RoomId& room, const RoomSettings& settings) {
  const std::string metadata = EncodeTextMap(settings.metadata);
  return set_settings_.Run(room.value, settings.topic, static_cast<int64_t>(settings.is_public),
                           static_cast<int64_t>(settings.is_archived),
                           static_cast<int64_t>(settings.is_read_only),
                           static_cast<int64_t>(settings.slow_mode_seconds), metadata);
}

absl::Status SqliteWriter::WriteAudit(absl::Span<const AuditRecord> records) {
  if (auto status = CheckAudit(records); !status.ok()) return status;
  SqliteTransaction transaction(*connection_);
  if (auto status = transaction.Begin("BEGIN IMMEDIATE"); !status.ok()) return status;
  if (auto status = audit_.Write(records, absl::Now()); !status.ok()) return status;
  return transaction.Commit();
}

absl::Status SqliteWriter::WriteTarget(const PlannedTarget& target) {
  const bool is_deleted = target.deleted_seq > 0;
  const std::string content = is_deleted ? "" : target.event->content;
  const std::string body = is_deleted ? "" : target.event->body;
  const std::string mentions = is_deleted ? "" : EncodeUsers(target.event->mentions);
  return update_target_.Run(target.room->value, target.seq, content, body, mentions,
                            target.edited_seq, target.deleted_seq);
}

absl::Status SqliteWriter::WriteEvent(const PlannedEvent& planned) {
  const NewEvent& event = *planned.event;
  const std::string key = DedupText(event.dedup);
  // What an edit says stands in its message's row alone.
  const bool is_edit = event.kind == EventKind::kMessageEdited;
  const std::string_view content = is_edit ? std::string_view() : event.content;
  const std::string_view body = is_edit ? std::string_view() : event.body;
  const std::string mentions = is_edit ? "" : EncodeUsers(event.mentions);
  return insert_event_.Run(planned.room->value, planned.seq, static_cast<int64_t>(event.kind),
                           absl::ToUnixMicros(planned.created_at), event.actor.id.value,
                           event.actor.name, event.actor.email, key, event.message_id, event.type,
                           content, event.reply_to, event.subject.value,
                           static_cast<int64_t>(event.role), body, mentions, planned.target_seq,
                           planned.ordinal);
}

absl::StatusOr<SqliteWriter::RoomRow> SqliteWriter::FindRow(const RoomId& room) {
  find_room_.Bind(room.value);
  const auto has_row = find_room_.Step();
  if (!has_row.ok()) return has_row.status();
  if (!*has_row) return RoomRow{};
  const RoomRow row{static_cast<RoomState>(find_room_.Int(0)),
                    {find_room_.Int(1), find_room_.Int(2), absl::FromUnixMicros(find_room_.Int(3)),
                     find_room_.Int(4), find_room_.Int(5)}};
  find_room_.Reset();
  return row;
}

absl::StatusOr<RoomRecord> SqliteWriter::CreateRoom(const NewRoom& room) {
  if (auto status = CheckNewRoom(room); !status.ok()) return status;
  SqliteTransaction transaction(*connection_);
  if (auto status = transaction.Begin("BEGIN IMMEDIATE"); !status.ok()) return status;
  const auto row = FindRow(room.id);
  if (!row.ok()) return row.status();
  if (row->state == RoomState::kThere) return absl::AlreadyExistsError("the room exists");
  if (row->state == RoomState::kDeleted) {
    // The rest of the old log must be gone before anybody can read the new one.
    if (auto status = PurgeRoom(room.id, {}, absl::InfiniteDuration()); !status.ok()) return status;
  }
  auto record = CreateOver(room, *row);
  if (!record.ok()) return record.status();
  if (auto status = transaction.Commit(); !status.ok()) return status;
  return record;
}

absl::StatusOr<RoomRecord> SqliteWriter::CreateOver(const NewRoom& room, const RoomRow& row) {
  const absl::Time now =
      std::max(absl::FromUnixMicros(absl::ToUnixMicros(absl::Now())), row.room.last_at);
  const int64_t last_seq = row.room.last_seq;
  auto status = upsert_room_.Run(room.id.value, room.topic, static_cast<int64_t>(room.is_public),
                                 last_seq, absl::ToUnixMicros(now));
  if (!status.ok()) return status;
  if (status = WriteSettings(room.id, room); !status.ok()) return status;
  if (room.audit != nullptr) {
    const AuditRecord record = AuditOfNewRoom(room);
    if (status = audit_.Write(absl::MakeConstSpan(&record, 1), now); !status.ok()) return status;
  }
  RoomRecord record{room, room.id, last_seq, last_seq, now};
  const AppendRequest first = FirstEvents(room, row.room);
  if (first.events.empty()) return record;
  AppendPlanner planner(absl::MakeConstSpan(&first, 1));
  planner.SetRoom(room.id, row.room);
  const auto plan = planner.Plan(now);
  if (!plan.ok()) return plan.status();
  if (status = Write(*plan); !status.ok()) return status;
  record.last_seq = plan->rooms[0].after.last_seq;
  record.member_seq = plan->rooms[0].after.member_seq;
  return record;
}

absl::Status SqliteWriter::DeleteRoom(const RoomId& room, const AuditRecord* audit) {
  if (auto status = CheckId(room.value, "room id"); !status.ok()) return status;
  {
    SqliteTransaction transaction(*connection_);
    if (auto status = transaction.Begin("BEGIN IMMEDIATE"); !status.ok()) return status;
    const auto row = FindRow(room);
    if (!row.ok()) return row.status();
    if (row->state != RoomState::kThere) return absl::NotFoundError("no such room");
    auto status = set_state_.Run(room.value, static_cast<int64_t>(RoomState::kDeleted));
    if (!status.ok()) return status;
    if (audit != nullptr) status = audit_.Write(absl::MakeConstSpan(audit, 1), absl::Now());
    if (!status.ok()) return status;
    if (status = transaction.Commit(); !status.ok()) return status;
  }
  // Nobody sees the room any more; what is left of it now goes later.
  Purge(kPurgeLimit).IgnoreError();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<InboxOutcome>> SqliteWriter::WriteInboxes(
    absl::Span<const InboxWrite> batch) {
  if (auto status = CheckInboxWrites(batch); !status.ok()) return status;
  SqliteTransaction transaction(*connection_);
  if (auto status = transaction.Begin("BEGIN IMMEDIATE"); !status.ok()) return status;
  auto outcomes = inboxes_.Write(batch);
  if (!outcomes.ok()) return outcomes;
  if (auto status = transaction.Commit(); !status.ok()) return status;
  return outcomes;
}

absl::Status SqliteWriter::SetFeedCursor(const FeedCursor& cursor) {
  return feed_.SetCursor(cursor);
}

absl::Status SqliteWriter::DeleteFeedCursor(const std::string& consumer) {
  return feed_.DeleteCursor(consumer);
}

absl::StatusOr<std::vector<PointerOutcome>> SqliteWriter::MovePointers(
    absl::Span<const PointerMove> moves) {
  return pointers_.Move(moves);
}

absl::StatusOr<PointerRepair> SqliteWriter::RepairPointers(absl::Duration window,
                                                           const PointerRepair& from,
                                                           int32_t rooms) {
  return pointers_.Repair(window, from, rooms);
}

absl::Status SqliteWriter::SetRetention(const RoomId& room, const Retention& retention,
                                        const AuditRecord* audit) {
  SqliteTransaction transaction(*connection_);
  if (auto status = transaction.Begin("BEGIN IMMEDIATE"); !status.ok()) return status;
  auto status = upkeep_.SetRetention(room, retention);
  if (!status.ok()) return status;
  if (audit != nullptr) status = audit_.Write(absl::MakeConstSpan(audit, 1), absl::Now());
  if (!status.ok()) return status;
  return transaction.Commit();
}

absl::StatusOr<TrimStep> SqliteWriter::Trim(const RoomId& room, int32_t rows) {
  return upkeep_.Trim(room, rows);
}

absl::StatusOr<EraseStep> SqliteWriter::Erase(const RoomId& room, const UserId& user,
                                              int64_t after_seq, int32_t rows) {
  return upkeep_.Erase(room, user, after_seq, rows);
}

absl::Status SqliteWriter::Purge(absl::Duration limit) {
  const process::Stopwatch purging;
  while (purging.elapsed() < limit) {
    const auto has_row = next_to_purge_.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) return absl::OkStatus();
    const RoomId room(next_to_purge_.Text(0));
    next_to_purge_.Reset();
    if (auto status = PurgeRoom(room, purging, limit); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::PurgeRoom(const RoomId& room, const process::Stopwatch& purging,
                                     absl::Duration limit) {
  for (SqliteStatement* statement : {&purge_members_, &purge_pointers_, &purge_events_}) {
    int64_t removed = 0;
    do {
      statement->Bind(room.value, kPurgeRows);
      removed = 0;
      while (true) {
        const auto has_row = statement->Step();
        if (!has_row.ok()) return has_row.status();
        if (!*has_row) break;
        ++removed;
      }
      if (purging.elapsed() >= limit) return absl::OkStatus();
    } while (removed > 0);
  }
  return set_state_.Run(room.value, static_cast<int64_t>(RoomState::kPurged));
}

}  // namespace confab::storage
