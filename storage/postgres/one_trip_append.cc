#include "storage/postgres/one_trip_append.h"

#include <string>

#include "storage/postgres/text_array.h"
#include "storage/text_list.h"

namespace confab::storage {
namespace {

// Both statements work on one snapshot, taken before the locks. Three things make that safe:
// - The rooms' rows are read by locking them, which gives the newest version, however long it took.
// - A rival's key that the snapshot does not show yet fails on the unique index, and nothing is done.
// - The clock is read after the locks; in append_one before, and again if the row was changed until
//   it was locked.
static_assert(static_cast<int>(EventKind::kMessagePosted) == 1 &&
              static_cast<int>(Role::kNone) == 0);
// Of `tx`. A subquery of its own is worked out once a statement; the column's default writes and
// reads a number for every row. Measured by bench_append.
#define CONFAB_THIS_TRANSACTION "(SELECT pg_current_xact_id()::text::bigint)"
constexpr PreparedStatement kStatements[] = {
    {"append_one",
     "WITH updated AS ("
     "  UPDATE rooms SET last_seq = last_seq + 1, ordinal = ordinal + 1, last_at = "
     "greatest(last_at,"
     "   (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"
     "  WHERE id = $1 AND state = 0 AND member_seq = $2 AND NOT EXISTS ("
     "   SELECT FROM events WHERE room_id = $1 AND actor_id = $3 AND dedup_key = $4)"
     "  RETURNING last_seq, last_at, ordinal) "
     "INSERT INTO events (room_id, seq, kind, role, created_at, actor_id, actor_name, actor_email,"
     " dedup_key, message_id, type, content, reply_to, subject, body, mentions, ordinal) "
     "SELECT $1, u.last_seq, 1, 0, u.last_at, $3, $5, $6, $4, $7, $8, $9, '', '', $10, $11,"
     " u.ordinal FROM updated u "
     "RETURNING seq, created_at"},

    // Locks in the order of ids, as every writer does. The clock stands above an aggregate, which
    // is complete only when every lock is held.
    {"append_few",
     "WITH asked AS MATERIALIZED ("
     "  SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[],"
     "   $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[]) WITH ORDINALITY"
     "  AS a (room_id, member_seq, actor_id, dedup_key, actor_name, actor_email, message_id, type,"
     "   content, body, mentions, ord)),"
     " locked AS MATERIALIZED ("
     "  SELECT id, last_seq, member_seq, last_at, ordinal FROM rooms"
     "  WHERE id = ANY($1::text[]) AND state = 0 ORDER BY id FOR NO KEY UPDATE),"
     " clock AS MATERIALIZED ("
     "  SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now"
     "  FROM (SELECT count(*) FROM locked) all_locked),"
     " fit AS MATERIALIZED ("
     "  SELECT a.*, l.last_seq + row_number() OVER (PARTITION BY l.id ORDER BY a.ord) AS seq,"
     "   l.ordinal + row_number() OVER (PARTITION BY l.id ORDER BY a.ord) AS ordinal,"
     "   greatest(l.last_at, c.now) AS created_at"
     "  FROM asked a JOIN locked l ON l.id = a.room_id AND l.member_seq = a.member_seq, clock c"
     "  WHERE NOT EXISTS (SELECT FROM events e WHERE e.room_id = a.room_id"
     "   AND e.actor_id = a.actor_id AND e.dedup_key = a.dedup_key OFFSET 0)),"
     " whole AS MATERIALIZED ("
     "  SELECT * FROM fit WHERE (SELECT count(*) FROM fit) = (SELECT count(*) FROM asked)),"
     " updated AS ("
     "  UPDATE rooms r SET last_seq = n.last_seq, last_at = n.last_at, ordinal = n.ordinal"
     "  FROM (SELECT room_id, max(seq) AS last_seq, max(created_at) AS last_at,"
     "   max(ordinal) AS ordinal FROM whole GROUP BY room_id) n"
     "  WHERE r.id = n.room_id),"
     " inserted AS ("
     "  INSERT INTO events (room_id, seq, kind, role, created_at, actor_id, actor_name,"
     "   actor_email, dedup_key, message_id, type, content, reply_to, subject, body, mentions,"
     "   ordinal, tx)"
     "  SELECT room_id, seq, 1, 0, created_at, actor_id, actor_name, actor_email, dedup_key,"
     "   message_id, type, content, '', '', body, mentions, ordinal, " CONFAB_THIS_TRANSACTION
     "  FROM whole) "
     "SELECT seq, created_at FROM whole ORDER BY ord"},
};

// As in the column: the key space's letter, then the key.
std::string ColumnOf(const DedupKey& dedup) { return static_cast<char>(dedup.space) + dedup.key; }

absl::StatusOr<pqxx::result> AppendOne(PostgresConnection& connection,
                                       const AppendRequest& request) {
  const NewEvent& event = request.events[0];
  return connection.Commit("append_one", request.room.value, request.expected_member_seq,
                           event.actor.id.value, ColumnOf(event.dedup), event.actor.name,
                           event.actor.email, event.message_id, event.type, event.content,
                           event.body, EncodeUsers(event.mentions));
}

absl::StatusOr<pqxx::result> AppendFew(PostgresConnection& connection, AppendBatch batch) {
  const size_t id_bytes = batch.size() * TextArray::kIdBytes;
  const size_t word_bytes = batch.size() * TextArray::kWordBytes;
  size_t content_bytes = word_bytes;
  for (const AppendRequest& request : batch) content_bytes += request.events[0].content.size();
  TextArray rooms(id_bytes), actors(id_bytes), keys(id_bytes), message_ids(id_bytes);
  TextArray contents(content_bytes), names(batch.size() * TextArray::kNumberBytes);
  TextArray member_seqs(word_bytes), emails(word_bytes), types(word_bytes), bodies(word_bytes),
      mentions(word_bytes);
  for (const AppendRequest& request : batch) {
    const NewEvent& event = request.events[0];
    rooms.Add(request.room.value);
    member_seqs.Add(request.expected_member_seq);
    actors.Add(event.actor.id.value);
    keys.Add(static_cast<char>(event.dedup.space), event.dedup.key);
    names.Add(event.actor.name);
    emails.Add(event.actor.email);
    message_ids.Add(event.message_id);
    types.Add(event.type);
    contents.Add(event.content);
    bodies.Add(event.body);
    mentions.Add(EncodeUsers(event.mentions));
  }
  return connection.Commit("append_few", rooms.Finish(), member_seqs.Finish(), actors.Finish(),
                           keys.Finish(), names.Finish(), emails.Finish(), message_ids.Finish(),
                           types.Finish(), contents.Finish(), bodies.Finish(), mentions.Finish());
}

bool IsSameKey(const AppendRequest& a, const AppendRequest& b) {
  return a.events[0].dedup == b.events[0].dedup && a.room == b.room &&
         a.events[0].actor.id == b.events[0].actor.id;
}

// Each against each: for a handful that is less than a set would allocate. Measured by
// batch/fits_one_trip/8.
bool HasDistinctKeys(AppendBatch batch) {
  for (size_t i = 1; i < batch.size(); ++i) {
    for (size_t earlier = 0; earlier < i; ++earlier) {
      if (IsSameKey(batch[i], batch[earlier])) return false;
    }
  }
  return true;
}

}  // namespace

absl::Span<const PreparedStatement> OneTripStatements() { return kStatements; }

bool FitsOneTrip(AppendBatch batch) {
  for (const AppendRequest& request : batch) {
    if (request.events.size() != 1 || request.events[0].kind != EventKind::kMessagePosted) {
      return false;
    }
    if (!request.events[0].reply_to.empty()) return false;  // It names a message to be looked up.
  }
  return HasDistinctKeys(batch);
}

absl::StatusOr<std::vector<AppendOutcome>> AppendInOneTrip(PostgresConnection& connection,
                                                           AppendBatch batch) {
  const auto rows =
      batch.size() == 1 ? AppendOne(connection, batch[0]) : AppendFew(connection, batch);
  std::vector<AppendOutcome> outcomes;
  // A rival's key, most likely. Data that cannot be stored is refused by the other shape as well.
  if (absl::IsInvalidArgument(rows.status())) return outcomes;
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return outcomes;
  if (static_cast<size_t>(rows->size()) != batch.size()) {
    return absl::InternalError("a batch was stored in part");
  }
  outcomes.reserve(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    const pqxx::row row = (*rows)[static_cast<pqxx::result::size_type>(i)];
    outcomes.push_back({AppendOutcome::Kind::kStored, row[0].as<int64_t>(),
                        batch[i].events[0].message_id, absl::FromUnixMicros(row[1].as<int64_t>()),
                        batch[i].expected_member_seq});
  }
  return outcomes;
}

}  // namespace confab::storage
