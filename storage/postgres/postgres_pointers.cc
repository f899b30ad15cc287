#include "storage/postgres/postgres_pointers.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "storage/postgres/append_statements.h"
#include "storage/postgres/text_array.h"

namespace confab::storage {
namespace {

// Of a repair: one transaction locks no more rooms than a batch does.
constexpr size_t kMovesAtOnce = 512;

constexpr PreparedStatement kStatements[] = {
    // What retention has removed has no row; its ordinal is that of the newest removed.
    {"move_pointers",
     "INSERT INTO read_pointers AS p (room_id, user_id, seq, ordinal, updated_at) "
     "SELECT a.room_id, a.user_id, least(a.seq, r.last_seq), coalesce("
     " (SELECT e.ordinal FROM events e"
     "  WHERE e.room_id = a.room_id AND e.seq = least(a.seq, r.last_seq)), r.gone_ordinal),"
     " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint "
     "FROM unnest($1::text[], $2::text[], $3::bigint[]) AS a (room_id, user_id, seq)"
     " JOIN rooms r ON r.id = a.room_id AND r.state = 0 "
     "ON CONFLICT (room_id, user_id) DO UPDATE SET seq = excluded.seq,"
     " ordinal = excluded.ordinal, updated_at = excluded.updated_at WHERE p.seq < excluded.seq "
     "RETURNING room_id, user_id"},
    {"read_pointers",
     "SELECT a.ord, p.seq, r.ordinal - greatest(p.ordinal, r.gone_ordinal) -"
     " (SELECT count(*) FROM events d WHERE d.room_id = r.id AND d.deleted_seq > 0"
     "  AND d.seq > p.seq AND d.seq >= r.first_seq),"
     " (SELECT count(*) FROM"
     "  (SELECT FROM members m WHERE m.room_id = r.id AND m.role > 0 LIMIT $3) few) "
     "FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a (room_id, user_id, ord)"
     " JOIN rooms r ON r.id = a.room_id AND r.state = 0"
     " JOIN read_pointers p ON p.room_id = a.room_id AND p.user_id = a.user_id"},
    {"newest_event", "SELECT coalesce(max(last_at), 0) FROM rooms"},
    {"next_rooms",
     "SELECT id, state = 0 AND last_at >= $2 FROM rooms WHERE id > $1 ORDER BY id LIMIT $3"},
    // Each room's log is halved until the first event of that time is found.
    {"recent_posts",
     "WITH RECURSIVE search (id, low, high) AS ("
     "  SELECT id, first_seq, last_seq + 1 FROM rooms WHERE id = ANY($1::text[]) AND state = 0"
     " UNION ALL"
     "  SELECT s.id, CASE WHEN m.is_before THEN m.seq + 1 ELSE s.low END,"
     "   CASE WHEN m.is_before THEN s.high ELSE m.seq END"
     "  FROM search s CROSS JOIN LATERAL ("
     "   SELECT e.seq, e.created_at < $2 AS is_before FROM events e"
     "   WHERE e.room_id = s.id AND e.seq = s.low + (s.high - s.low) / 2 OFFSET 0) m"
     "  WHERE s.low < s.high) "
     "SELECT s.id, p.actor_id, p.seq FROM search s CROSS JOIN LATERAL ("
     " SELECT actor_id, max(seq) AS seq FROM events WHERE room_id = s.id AND seq >= s.low"
     "  AND kind = 1 AND actor_id <> '' GROUP BY actor_id OFFSET 0) p "
     "WHERE s.low >= s.high"},
};

using Pair = std::pair<RoomId, UserId>;

std::string TextOf(const pqxx::field& field) { return {field.c_str(), field.size()}; }

// The rooms in the order of their ids, in which everybody locks.
std::vector<bool> LockRoomsOf(PostgresTransaction& transaction,
                              absl::Span<const PointerMove> moves) {
  std::vector<RoomId> rooms;
  for (const PointerMove& move : moves) rooms.push_back(move.room);
  std::sort(rooms.begin(), rooms.end());
  rooms.erase(std::unique(rooms.begin(), rooms.end()), rooms.end());
  TextArray ids;
  for (const RoomId& room : rooms) ids.Add(room.value);
  absl::flat_hash_set<RoomId> found;
  for (const pqxx::row& row : transaction.Run("lock_rooms", ids.Finish())) {
    found.insert(RoomId(TextOf(row[0])));
  }
  std::vector<bool> is_there;
  for (const PointerMove& move : moves) is_there.push_back(found.contains(move.room));
  return is_there;
}

absl::flat_hash_set<Pair> Move(PostgresTransaction& transaction,
                               absl::Span<const PointerMove> moves) {
  absl::flat_hash_map<Pair, int64_t> furthest;  // A statement may touch a row once.
  for (const PointerMove& move : moves) {
    int64_t& seq = furthest[{move.room, move.user}];
    seq = std::max(seq, move.seq);
  }
  TextArray rooms, users, seqs;
  for (const auto& [pair, seq] : furthest) {
    rooms.Add(pair.first.value);
    users.Add(pair.second.value);
    seqs.Add(seq);
  }
  absl::flat_hash_set<Pair> moved;
  for (const pqxx::row& row :
       transaction.Run("move_pointers", rooms.Finish(), users.Finish(), seqs.Finish())) {
    moved.emplace(RoomId(TextOf(row[0])), UserId(TextOf(row[1])));
  }
  return moved;
}

void ReadOutcomes(PostgresTransaction& transaction, absl::Span<const PointerMove> moves,
                  std::vector<PointerOutcome>& outcomes) {
  TextArray rooms, users;
  std::vector<size_t> asked;
  for (size_t i = 0; i < moves.size(); ++i) {
    if (!moves[i].is_asked) continue;
    rooms.Add(moves[i].room.value);
    users.Add(moves[i].user.value);
    asked.push_back(i);
  }
  if (asked.empty()) return;
  for (const pqxx::row& row : transaction.Run("read_pointers", rooms.Finish(), users.Finish(),
                                              PointerOutcome::kMembersCounted)) {
    PointerOutcome& outcome = outcomes[asked.at(static_cast<size_t>(row[0].as<int64_t>() - 1))];
    outcome.position = {row[1].as<int64_t>(), row[2].as<int64_t>()};
    outcome.members = row[3].as<int32_t>();
  }
}

}  // namespace

absl::Span<const PreparedStatement> PointerStatements() { return kStatements; }

std::vector<PointerOutcome> MovePointers(PostgresTransaction& transaction,
                                         absl::Span<const PointerMove> moves) {
  std::vector<PointerOutcome> outcomes(moves.size());
  if (moves.empty()) return outcomes;
  const std::vector<bool> is_there = LockRoomsOf(transaction, moves);
  const absl::flat_hash_set<Pair> moved = Move(transaction, moves);
  for (size_t i = 0; i < moves.size(); ++i) {
    outcomes[i].is_room_there = is_there[i];
    outcomes[i].has_moved = moved.contains(Pair(moves[i].room, moves[i].user));
  }
  ReadOutcomes(transaction, moves, outcomes);
  return outcomes;
}

absl::StatusOr<PointerRepair> RepairPointers(PostgresConnection& connection, absl::Duration window,
                                             const PointerRepair& from, int32_t rooms) {
  PointerRepair next = from;
  if (next.since == absl::InfinitePast()) {
    const auto newest = connection.Query("newest_event");
    if (!newest.ok()) return newest.status();
    next.since = absl::FromUnixMicros((*newest)[0][0].as<int64_t>()) - window;
  }
  const int64_t since = absl::ToUnixMicros(next.since);
  const auto page = connection.Query("next_rooms", from.after.value, since, rooms);
  if (!page.ok()) return page.status();
  TextArray recent;
  bool is_any_recent = false;
  for (const pqxx::row& row : *page) {
    next.after = RoomId(TextOf(row[0]));
    if (!row[1].as<bool>()) continue;
    recent.Add(next.after.value);
    is_any_recent = true;
  }
  next.is_done = static_cast<int32_t>(page->size()) < rooms;
  if (!is_any_recent) return next;
  const auto posts = connection.Query("recent_posts", recent.Finish(), since);
  if (!posts.ok()) return posts.status();
  std::vector<PointerMove> moves;
  for (const pqxx::row& post : *posts) {
    moves.push_back({RoomId(TextOf(post[0])), UserId(TextOf(post[1])), post[2].as<int64_t>()});
  }
  for (size_t first = 0; first < moves.size(); first += kMovesAtOnce) {
    auto status = connection.Transact([&](PostgresTransaction& transaction) {
      MovePointers(transaction, absl::MakeConstSpan(moves).subspan(first, kMovesAtOnce));
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
  }
  return next;
}

}  // namespace confab::storage
