#include "storage/postgres/append_statements.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "storage/postgres/audit_statements.h"
#include "storage/postgres/binary_values.h"
#include "storage/postgres/text_array.h"
#include "storage/text_list.h"

namespace confab::storage {
namespace {

constexpr PreparedStatement kStatements[] = {
    {"lock_rooms",
     "SELECT id, last_seq, member_seq, last_at, ordinal, first_seq FROM rooms "
     "WHERE id = ANY($1::text[]) AND state = 0 ORDER BY id FOR NO KEY UPDATE"},

    // A scalar subquery for each key keeps to the unique index whatever the statistics say; a join
    // was twice as slow. OFFSET 0 keeps it from being pulled up and run twice. Hits are rare, so
    // each is one text: "seq created_at message_id". Row 0 is the moment: "clock transaction". Here
    // the clock is read after the locks, which in the lock statement's own output it would not be.
    {"find_keys",
     "SELECT 0::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
     " || ' ' || pg_current_xact_id() "
     "UNION ALL "
     "SELECT k.ord, k.hit FROM ("
     "  SELECT u.ord, (SELECT e.seq || ' ' || e.created_at || ' ' || e.message_id FROM events e"
     "                 WHERE e.room_id = u.room_id AND e.actor_id = u.actor_id"
     "                 AND e.dedup_key = u.dedup_key) AS hit"
     "  FROM unnest($1::text[], $2::text[], $3::text[])"
     "       WITH ORDINALITY AS u (room_id, actor_id, dedup_key, ord) OFFSET 0) k "
     "WHERE k.hit IS NOT NULL"},

    // The messages that edits, deletions and answers name, each by its own index; only in batches
    // that have some.
    {"find_targets",
     "SELECT t.ord, m.seq, m.actor_id, m.deleted_seq"
     " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (room_id, message_id, ord)"
     " CROSS JOIN LATERAL (SELECT e.room_id, e.seq, e.actor_id, e.deleted_seq FROM events e"
     "   WHERE e.message_id = t.message_id AND e.kind = 1 OFFSET 0) m "
     "WHERE m.room_id = t.room_id"},

    // The rows come as one array of the table's own row type: unnest of eighteen arrays would read
    // each to its end, into a store of its own, before the first row is there.
    {"write_events",
     "WITH updated AS ("
     "  UPDATE rooms r SET last_seq = c.last_seq, member_seq = c.member_seq, last_at = c.last_at,"
     "   ordinal = c.ordinal"
     "  FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])"
     "       AS c (id, last_seq, member_seq, last_at, ordinal)"
     "  WHERE r.id = c.id) "
     "INSERT INTO events SELECT * FROM unnest($6::events[])"},

    {"write_targets",
     "UPDATE events e SET content = t.content, body = t.body, mentions = t.mentions,"
     " edited_seq = CASE WHEN t.edited_seq > 0 THEN t.edited_seq ELSE e.edited_seq END,"
     " deleted_seq = t.deleted_seq "
     "FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[],"
     " $7::bigint[]) AS t (room_id, seq, content, body, mentions, edited_seq, deleted_seq) "
     "WHERE e.room_id = t.room_id AND e.seq = t.seq"},

    // What was in the log when somebody joined counts as read.
    {"write_joined",
     "INSERT INTO read_pointers AS p (room_id, user_id, seq, ordinal, updated_at) "
     "SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) "
     "ON CONFLICT (room_id, user_id) DO UPDATE SET seq = excluded.seq, ordinal = excluded.ordinal,"
     " updated_at = excluded.updated_at WHERE p.seq < excluded.seq"},

    {"write_members",
     "INSERT INTO members AS m (room_id, user_id, role, changed_seq, changed_at, banned_until,"
     " muted_until) "
     "SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[],"
     " $6::bigint[], $7::bigint[]) "
     "ON CONFLICT (room_id, user_id) DO UPDATE SET"
     " role = CASE WHEN excluded.changed_seq > 0 THEN excluded.role ELSE m.role END,"
     " changed_seq ="
     "  CASE WHEN excluded.changed_seq > 0 THEN excluded.changed_seq ELSE m.changed_seq END,"
     " changed_at ="
     "  CASE WHEN excluded.changed_seq > 0 THEN excluded.changed_at ELSE m.changed_at END,"
     " banned_until ="
     "  CASE WHEN excluded.banned_until < 0 THEN m.banned_until ELSE excluded.banned_until END,"
     " muted_until ="
     "  CASE WHEN excluded.muted_until < 0 THEN m.muted_until ELSE excluded.muted_until END"},

    {"write_settings",
     "UPDATE rooms SET topic = $2, is_public = $3, is_archived = $4, is_read_only = $5,"
     " slow_mode_s = $6, metadata = $7 WHERE id = $1"},
};

// Of the table, all of which a row of its type has, in their order: storage/postgres/migrations.
constexpr std::string_view kEventColumns =
    "room_id seq kind role created_at actor_id actor_name actor_email dedup_key message_id type"
    " content reply_to subject body mentions target_seq edited_seq deleted_seq ordinal tx";
constexpr auto kEventColumnCount =
    static_cast<uint32_t>(std::count(kEventColumns.begin(), kEventColumns.end(), ' ') + 1);
// What a row takes beside its texts: a type and a size for each column, and the numbers.
constexpr size_t kEventBytes = 256;
// Of its texts without content and body: names and four ids.
constexpr size_t kEventTextBytes = 224;

// Cuts the number at the front off, with the blank behind it.
int64_t CutNumber(std::string_view& text) {
  int64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (!text.empty()) text.remove_prefix(1);
  return number;
}

void WriteMembers(PqTransaction& transaction, const AppendPlan& plan) {
  TextArray rooms, users, roles, seqs, times, bans, mutes;
  for (const PlannedMember& member : plan.members) {
    rooms.Add(member.room->value);
    users.Add(member.user->value);
    roles.Add(static_cast<int64_t>(member.role));
    seqs.Add(member.changed_seq);
    times.Add(absl::ToUnixMicros(member.changed_at));
    bans.Add(member.banned_until);
    mutes.Add(member.muted_until);
  }
  transaction.Send("write_members", rooms.Finish(), users.Finish(), roles.Finish(), seqs.Finish(),
                   times.Finish(), bans.Finish(), mutes.Finish());
}

void WriteJoined(PqTransaction& transaction, const AppendPlan& plan) {
  TextArray rooms, users, seqs, ordinals, times;
  bool is_any = false;
  for (const PlannedMember& member : plan.members) {
    if (member.joined_seq == 0) continue;
    is_any = true;
    rooms.Add(member.room->value);
    users.Add(member.user->value);
    seqs.Add(member.joined_seq);
    ordinals.Add(member.joined_ordinal);
    times.Add(absl::ToUnixMicros(member.changed_at));
  }
  if (!is_any) return;
  transaction.Send("write_joined", rooms.Finish(), users.Finish(), seqs.Finish(), ordinals.Finish(),
                   times.Finish());
}

void WriteTargets(PqTransaction& transaction, const AppendPlan& plan) {
  TextArray rooms, seqs, contents, bodies, mentions, edited_seqs, deleted_seqs;
  for (const PlannedTarget& target : plan.targets) {
    const bool is_deleted = target.deleted_seq > 0;
    rooms.Add(target.room->value);
    seqs.Add(target.seq);
    contents.Add(is_deleted ? "" : target.event->content);
    bodies.Add(is_deleted ? "" : target.event->body);
    mentions.Add(is_deleted ? "" : EncodeUsers(target.event->mentions));
    edited_seqs.Add(target.edited_seq);
    deleted_seqs.Add(target.deleted_seq);
  }
  transaction.Send("write_targets", rooms.Finish(), seqs.Finish(), contents.Finish(),
                   bodies.Finish(), mentions.Finish(), edited_seqs.Finish(), deleted_seqs.Finish());
}

// In the order of kEventColumns.
void AddRow(const PlannedEvent& planned, int64_t transaction, BinaryRows& rows) {
  const NewEvent& event = *planned.event;
  // What an edit says stands in its message's row alone.
  const bool is_edit = event.kind == EventKind::kMessageEdited;
  rows.BeginRow();
  rows.Text(planned.room->value);
  rows.Int8(planned.seq);
  rows.Int2(static_cast<int16_t>(event.kind));
  rows.Int2(static_cast<int16_t>(event.role));
  rows.Int8(absl::ToUnixMicros(planned.created_at));
  rows.Text(event.actor.id.value);
  rows.Text(event.actor.name);
  rows.Text(event.actor.email);
  rows.Text(static_cast<char>(event.dedup.space), event.dedup.key);
  rows.Text(event.message_id);
  rows.Text(event.type);
  rows.Text(is_edit ? std::string_view() : event.content);
  rows.Text(event.reply_to);
  rows.Text(event.subject.value);
  rows.Text(is_edit ? std::string_view() : event.body);
  rows.Text(is_edit || event.mentions.empty() ? std::string() : EncodeUsers(event.mentions));
  rows.Int8(planned.target_seq);
  rows.Int8(0);  // edited_seq
  rows.Int8(0);  // deleted_seq
  rows.Int8(planned.ordinal);
  rows.Int8(transaction);
}

void WriteEvents(PqTransaction& transaction, const AppendPlan& plan, const AppendMoment& moment,
                 PostgresType event_type) {
  const size_t rooms = plan.rooms.size();
  BinaryArray ids(kTextType, rooms * BinaryArray::kIdBytes);
  BinaryArray last_seqs(kInt8Type, rooms * BinaryArray::kInt8Bytes);
  BinaryArray member_seqs(kInt8Type, rooms * BinaryArray::kInt8Bytes);
  BinaryArray last_times(kInt8Type, rooms * BinaryArray::kInt8Bytes);
  BinaryArray ordinals(kInt8Type, rooms * BinaryArray::kInt8Bytes);
  for (const auto& [id, after, settings] : plan.rooms) {
    ids.Add(id->value);
    last_seqs.Add(after.last_seq);
    member_seqs.Add(after.member_seq);
    last_times.Add(absl::ToUnixMicros(after.last_at));
    ordinals.Add(after.ordinal);
  }
  size_t bytes = plan.events.size() * (kEventBytes + kEventTextBytes);
  for (const PlannedEvent& planned : plan.events) {
    bytes += planned.event->content.size() + planned.event->body.size();
  }
  BinaryRows events(event_type, kEventColumnCount, bytes);
  for (const PlannedEvent& planned : plan.events) AddRow(planned, moment.transaction, events);
  transaction.Send("write_events", ids.Finish(), last_seqs.Finish(), member_seqs.Finish(),
                   last_times.Finish(), ordinals.Finish(), events.Finish());
}

// --- The first trip: each is sent, and its rows are taken when all of them have come.

void SendRooms(PqTransaction& transaction, const AppendPlanner& planner) {
  BinaryArray ids(kTextType, planner.rooms().size() * BinaryArray::kIdBytes);
  for (const RoomId* id : planner.rooms()) ids.Add(id->value);
  transaction.Send("lock_rooms", ids.Finish());
}

void TakeRooms(const PqRows& rows, AppendPlanner& planner) {
  for (int i = 0; i < rows.size(); ++i) {
    planner.SetRoom(RoomId(std::string(rows.Text(i, 0))),
                    {rows.Int(i, 1), rows.Int(i, 2), absl::FromUnixMicros(rows.Int(i, 3)),
                     rows.Int(i, 4), rows.Int(i, 5)});
  }
}

// Of rooms that are not there, too: nobody knows yet.
void SendKeys(PqTransaction& transaction, AppendBatch batch) {
  const size_t bytes = batch.size() * BinaryArray::kIdBytes;
  BinaryArray rooms(kTextType, bytes);
  BinaryArray actors(kTextType, bytes);
  BinaryArray keys(kTextType, bytes);
  for (const AppendRequest& request : batch) {
    const NewEvent& first = request.events[0];
    rooms.Add(request.room.value);
    actors.Add(first.actor.id.value);
    keys.Add(static_cast<char>(first.dedup.space), first.dedup.key);
  }
  transaction.Send("find_keys", rooms.Finish(), actors.Finish(), keys.Finish());
}

AppendMoment TakeKeys(const PqRows& rows, AppendPlanner& planner) {
  AppendMoment moment;
  for (int i = 0; i < rows.size(); ++i) {
    const int64_t ordinal = rows.Int(i, 0);
    std::string_view hit = rows.Text(i, 1);
    const int64_t first = CutNumber(hit);
    const int64_t second = CutNumber(hit);
    if (ordinal == 0) {
      moment = {absl::FromUnixMicros(first), second};
    } else {
      planner.SetStored(static_cast<size_t>(ordinal - 1),
                        {first, std::string(hit), absl::FromUnixMicros(second)});
    }
  }
  return moment;
}

// The requests that name messages, in the order of the rows that they are asked by.
std::vector<size_t> SendTargets(PqTransaction& transaction, AppendBatch batch) {
  BinaryArray rooms(kTextType);
  BinaryArray message_ids(kTextType);
  std::vector<size_t> request_of;
  for (size_t i = 0; i < batch.size(); ++i) {
    const std::string* message_id = AppendPlanner::TargetOf(batch[i]);
    if (message_id == nullptr) continue;
    rooms.Add(batch[i].room.value);
    message_ids.Add(*message_id);
    request_of.push_back(i);
  }
  if (!request_of.empty()) transaction.Send("find_targets", rooms.Finish(), message_ids.Finish());
  return request_of;
}

void TakeTargets(const PqRows& rows, const std::vector<size_t>& request_of,
                 AppendPlanner& planner) {
  for (int i = 0; i < rows.size(); ++i) {
    planner.SetTarget(request_of.at(static_cast<size_t>(rows.Int(i, 0) - 1)),
                      {rows.Int(i, 1), UserId(std::string(rows.Text(i, 2))), rows.Int(i, 3) > 0});
  }
}

}  // namespace

absl::Span<const PreparedStatement> AppendStatements() { return kStatements; }

absl::StatusOr<PostgresType> FindEventType(PostgresConnection& connection) {
  const auto rows = connection.Execute(
      "SELECT 'events'::regtype::oid, string_agg(attname::text, ' ' ORDER BY attnum)"
      " FROM pg_attribute"
      " WHERE attrelid = 'events'::regclass AND attnum > 0 AND NOT attisdropped");
  if (!rows.ok()) return rows.status();
  const auto columns = (*rows)[0][1].as<std::string>();
  if (columns != kEventColumns) {
    return absl::FailedPreconditionError(fmt::format(
        "the table events has the columns {}, but rows are written as {}", columns, kEventColumns));
  }
  return (*rows)[0][0].as<PostgresType>();
}

absl::StatusOr<AppendMoment> LockAndLookUp(PqTransaction& transaction, AppendBatch batch,
                                           AppendPlanner& planner) {
  SendRooms(transaction, planner);
  SendKeys(transaction, batch);
  const std::vector<size_t> with_target = SendTargets(transaction, batch);
  const auto answers = transaction.Ask();
  if (!answers.ok()) return answers.status();
  TakeRooms((*answers)[0], planner);
  const AppendMoment moment = TakeKeys((*answers)[1], planner);
  if (!with_target.empty()) TakeTargets((*answers)[2], with_target, planner);
  return moment;
}

void WritePlan(PqTransaction& transaction, const AppendPlan& plan, const AppendMoment& moment,
               PostgresType event_type) {
  if (plan.events.empty()) return;
  WriteEvents(transaction, plan, moment, event_type);
  if (!plan.targets.empty()) WriteTargets(transaction, plan);
  if (!plan.members.empty()) WriteMembers(transaction, plan);
  if (!plan.members.empty()) WriteJoined(transaction, plan);
  for (const PlannedRoom& room : plan.rooms) {
    if (room.settings) WriteSettings(transaction, *room.id, *room.settings);
  }
  WriteAuditRecords(transaction, plan.audits);
}

void WriteSettings(PqTransaction& transaction, const RoomId& room, const RoomSettings& settings) {
  transaction.Send("write_settings", room.value, settings.topic, settings.is_public,
                   settings.is_archived, settings.is_read_only, settings.slow_mode_seconds,
                   EncodeTextMap(settings.metadata));
}

}  // namespace confab::storage
