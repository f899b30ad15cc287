#include "storage/postgres/append_statements.h"

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "storage/postgres/audit_statements.h"
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
    // each is one text: "seq created_at message_id". Row 0 is the clock: here it is read after the
    // locks, which the lock statement's own output would not be.
    {"find_keys",
     "SELECT 0::bigint, ((extract(epoch FROM clock_timestamp()) * 1000000)::bigint)::text "
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

    {"write_events",
     "WITH updated AS ("
     "  UPDATE rooms r SET last_seq = c.last_seq, member_seq = c.member_seq, last_at = c.last_at,"
     "   ordinal = c.ordinal"
     "  FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])"
     "       AS c (id, last_seq, member_seq, last_at, ordinal)"
     "  WHERE r.id = c.id) "
     "INSERT INTO events (room_id, seq, kind, role, created_at, actor_id, actor_name, actor_email,"
     " dedup_key, message_id, type, content, reply_to, subject, body, mentions, target_seq,"
     " ordinal, tx) "
     "SELECT e.*, " CONFAB_THIS_TRANSACTION
     " FROM unnest($6::text[], $7::bigint[], $8::smallint[], $9::smallint[],"
     " $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],"
     " $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[],"
     " $22::bigint[], $23::bigint[]) AS e"},

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

std::string_view ViewOf(const pqxx::field& field) { return {field.c_str(), field.size()}; }

// Cuts the number at the front off, with the blank behind it.
int64_t CutNumber(std::string_view& text) {
  int64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (!text.empty()) text.remove_prefix(1);
  return number;
}

void WriteMembers(PostgresTransaction& transaction, const AppendPlan& plan) {
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
  transaction.Run("write_members", rooms.Finish(), users.Finish(), roles.Finish(), seqs.Finish(),
                  times.Finish(), bans.Finish(), mutes.Finish());
}

void WriteJoined(PostgresTransaction& transaction, const AppendPlan& plan) {
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
  transaction.Run("write_joined", rooms.Finish(), users.Finish(), seqs.Finish(), ordinals.Finish(),
                  times.Finish());
}

void WriteTargets(PostgresTransaction& transaction, const AppendPlan& plan) {
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
  transaction.Run("write_targets", rooms.Finish(), seqs.Finish(), contents.Finish(),
                  bodies.Finish(), mentions.Finish(), edited_seqs.Finish(), deleted_seqs.Finish());
}

// The columns of write_events, built in one pass over the events.
struct EventColumns {
  TextArray room, seq, kind, role, created_at, actor_id, actor_name, actor_email, dedup_key,
      message_id, type, content, reply_to, subject, body, mentions, target_seq, ordinal;

  explicit EventColumns(const std::vector<PlannedEvent>& events)
      : EventColumns(events.size(), ContentBytes(events)) {
    for (const PlannedEvent& event : events) Add(event);
  }

 private:
  EventColumns(size_t rows, size_t content_bytes)
      : room(rows * TextArray::kIdBytes),
        seq(rows * TextArray::kWordBytes),
        kind(rows * TextArray::kWordBytes),
        role(rows * TextArray::kWordBytes),
        created_at(rows * TextArray::kNumberBytes),
        actor_id(rows * TextArray::kIdBytes),
        actor_name(rows * TextArray::kNumberBytes),
        actor_email(rows * TextArray::kWordBytes),
        dedup_key(rows * TextArray::kIdBytes),
        message_id(rows * TextArray::kIdBytes),
        type(rows * TextArray::kWordBytes),
        content(content_bytes + rows * TextArray::kWordBytes),
        reply_to(rows * TextArray::kWordBytes),
        subject(rows * TextArray::kWordBytes),
        body(rows * TextArray::kWordBytes),
        mentions(rows * TextArray::kWordBytes),
        target_seq(rows * TextArray::kWordBytes),
        ordinal(rows * TextArray::kWordBytes) {}

  static size_t ContentBytes(const std::vector<PlannedEvent>& events) {
    size_t bytes = 0;
    for (const PlannedEvent& planned : events) bytes += planned.event->content.size();
    return bytes;
  }

  void Add(const PlannedEvent& planned) {
    const NewEvent& event = *planned.event;
    room.Add(planned.room->value);
    seq.Add(planned.seq);
    kind.Add(static_cast<int64_t>(event.kind));
    role.Add(static_cast<int64_t>(event.role));
    created_at.Add(absl::ToUnixMicros(planned.created_at));
    actor_id.Add(event.actor.id.value);
    actor_name.Add(event.actor.name);
    actor_email.Add(event.actor.email);
    dedup_key.Add(static_cast<char>(event.dedup.space), event.dedup.key);
    message_id.Add(event.message_id);
    type.Add(event.type);
    // What an edit says stands in its message's row alone.
    const bool is_edit = event.kind == EventKind::kMessageEdited;
    content.Add(is_edit ? std::string_view() : event.content);
    reply_to.Add(event.reply_to);
    subject.Add(event.subject.value);
    body.Add(is_edit ? std::string_view() : event.body);
    mentions.Add(is_edit || event.mentions.empty() ? std::string() : EncodeUsers(event.mentions));
    target_seq.Add(planned.target_seq);
    ordinal.Add(planned.ordinal);
  }
};

}  // namespace

absl::Span<const PreparedStatement> AppendStatements() { return kStatements; }

void LockRooms(PostgresTransaction& transaction, AppendPlanner& planner) {
  TextArray ids(planner.rooms().size() * TextArray::kIdBytes);
  for (const RoomId* id : planner.rooms()) ids.Add(id->value);
  for (const pqxx::row& row : transaction.Run("lock_rooms", ids.Finish())) {
    planner.SetRoom(
        RoomId(std::string(ViewOf(row[0]))),
        {row[1].as<int64_t>(), row[2].as<int64_t>(), absl::FromUnixMicros(row[3].as<int64_t>()),
         row[4].as<int64_t>(), row[5].as<int64_t>()});
  }
}

absl::Time LookUpKeys(PostgresTransaction& transaction, AppendBatch batch, AppendPlanner& planner) {
  const size_t bytes = batch.size() * TextArray::kIdBytes;
  TextArray rooms(bytes);
  TextArray actors(bytes);
  TextArray keys(bytes);
  std::vector<size_t> request_of;
  request_of.reserve(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!planner.HasRoom(i)) continue;
    const NewEvent& first = batch[i].events[0];
    rooms.Add(batch[i].room.value);
    actors.Add(first.actor.id.value);
    keys.Add(static_cast<char>(first.dedup.space), first.dedup.key);
    request_of.push_back(i);
  }
  absl::Time now;
  for (const pqxx::row& row :
       transaction.Run("find_keys", rooms.Finish(), actors.Finish(), keys.Finish())) {
    const auto ordinal = row[0].as<int64_t>();
    if (ordinal == 0) {
      now = absl::FromUnixMicros(row[1].as<int64_t>());
      continue;
    }
    std::string_view hit = ViewOf(row[1]);
    const int64_t seq = CutNumber(hit);
    const absl::Time created_at = absl::FromUnixMicros(CutNumber(hit));
    planner.SetStored(request_of.at(static_cast<size_t>(ordinal - 1)),
                      {seq, std::string(hit), created_at});
  }
  return now;
}

void LookUpTargets(PostgresTransaction& transaction, AppendBatch batch, AppendPlanner& planner) {
  TextArray rooms, message_ids;
  std::vector<size_t> request_of;
  for (size_t i = 0; i < batch.size(); ++i) {
    const std::string* message_id = AppendPlanner::TargetOf(batch[i]);
    if (message_id == nullptr) continue;
    rooms.Add(batch[i].room.value);
    message_ids.Add(*message_id);
    request_of.push_back(i);
  }
  if (request_of.empty()) return;
  for (const pqxx::row& row :
       transaction.Run("find_targets", rooms.Finish(), message_ids.Finish())) {
    planner.SetTarget(
        request_of.at(static_cast<size_t>(row[0].as<int64_t>() - 1)),
        {row[1].as<int64_t>(), UserId(std::string(ViewOf(row[2]))), row[3].as<int64_t>() > 0});
  }
}

void WritePlan(PostgresTransaction& transaction, const AppendPlan& plan) {
  if (plan.events.empty()) return;
  const size_t rooms = plan.rooms.size();
  TextArray ids(rooms * TextArray::kIdBytes);
  TextArray last_seqs(rooms * TextArray::kWordBytes);
  TextArray member_seqs(rooms * TextArray::kWordBytes);
  TextArray last_times(rooms * TextArray::kNumberBytes);
  TextArray ordinals(rooms * TextArray::kWordBytes);
  for (const auto& [id, after, settings] : plan.rooms) {
    ids.Add(id->value);
    last_seqs.Add(after.last_seq);
    member_seqs.Add(after.member_seq);
    last_times.Add(absl::ToUnixMicros(after.last_at));
    ordinals.Add(after.ordinal);
  }
  EventColumns events(plan.events);
  transaction.Run("write_events", ids.Finish(), last_seqs.Finish(), member_seqs.Finish(),
                  last_times.Finish(), ordinals.Finish(), events.room.Finish(), events.seq.Finish(),
                  events.kind.Finish(), events.role.Finish(), events.created_at.Finish(),
                  events.actor_id.Finish(), events.actor_name.Finish(), events.actor_email.Finish(),
                  events.dedup_key.Finish(), events.message_id.Finish(), events.type.Finish(),
                  events.content.Finish(), events.reply_to.Finish(), events.subject.Finish(),
                  events.body.Finish(), events.mentions.Finish(), events.target_seq.Finish(),
                  events.ordinal.Finish());
  if (!plan.targets.empty()) WriteTargets(transaction, plan);
  if (!plan.members.empty()) WriteMembers(transaction, plan);
  if (!plan.members.empty()) WriteJoined(transaction, plan);
  for (const PlannedRoom& room : plan.rooms) {
    if (room.settings) WriteSettings(transaction, *room.id, *room.settings);
  }
  WriteAuditRecords(transaction, plan.audits);
}

void WriteSettings(PostgresTransaction& transaction, const RoomId& room,
                   const RoomSettings& settings) {
  transaction.Run("write_settings", room.value, settings.topic, settings.is_public,
                  settings.is_archived, settings.is_read_only, settings.slow_mode_seconds,
                  EncodeTextMap(settings.metadata));
}

}  // namespace confab::storage
