#include "storage/postgres/postgres_upkeep.h"

#include <algorithm>

namespace confab::storage {
namespace {

constexpr PreparedStatement kStatements[] = {
    {"set_retention",
     "UPDATE rooms SET retain_micros = $2, retain_messages = $3 WHERE id = $1 AND state = 0"},
    // Locks the room as every writer does.
    {"upkeep_room",
     "SELECT first_seq, last_seq, ordinal, retain_micros, retain_messages,"
     " coalesce((SELECT min(seq) FROM events WHERE room_id = $1), 0),"
     " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint "
     "FROM rooms WHERE id = $1 AND state = 0 FOR NO KEY UPDATE"},
    // Times and ordinals never run against seq: what is to go is the beginning of the log.
    {"last_to_cut",
     "SELECT seq, ordinal FROM events WHERE room_id = $1 AND seq >= $2 AND seq < $3"
     " AND (created_at < $4 OR ordinal <= $5) ORDER BY seq DESC LIMIT 1"},
    {"empty_events",
     "UPDATE events SET actor_name = '', actor_email = '', content = '', body = '', mentions = '' "
     "WHERE room_id = $1 AND seq >= $2 AND seq <= $3 AND created_at >= $4"},
    {"advance_log", "UPDATE rooms SET first_seq = $2, gone_ordinal = $3 WHERE id = $1"},
    {"drop_events",
     "DELETE FROM events WHERE room_id = $1 AND seq >= $2 AND seq < $3 AND created_at < $4"},
    {"erase_events",
     "UPDATE events SET actor_name = '', actor_email = '',"
     " content = CASE WHEN kind = 1 THEN '' ELSE content END, body = '', mentions = '',"
     " deleted_seq = CASE WHEN kind = 1 AND deleted_seq = 0 THEN seq ELSE deleted_seq END "
     "WHERE room_id = $1 AND seq > $2 AND seq <= $3 AND actor_id = $4 RETURNING kind"},
};

struct RoomRow {
  int64_t first_seq = 0;
  int64_t last_seq = 0;
  int64_t ordinal = 0;
  int64_t retain_micros = 0;
  int64_t retain_messages = 0;
  int64_t lowest_seq = 0;  // Of a stub or an event; 0: there is no row.
  int64_t now = 0;
};

absl::Status LockRoom(PostgresTransaction& transaction, const RoomId& room, RoomRow& out) {
  const auto rows = transaction.Run("upkeep_room", room.value);
  if (rows.empty()) return absl::NotFoundError("no such room");
  const pqxx::row row = rows[0];
  out = {row[0].as<int64_t>(), row[1].as<int64_t>(), row[2].as<int64_t>(), row[3].as<int64_t>(),
         row[4].as<int64_t>(), row[5].as<int64_t>(), row[6].as<int64_t>()};
  return absl::OkStatus();
}

// Removes what retention no longer keeps of the next rows; how many that were.
int64_t Cut(PostgresTransaction& transaction, const RoomId& room, RoomRow& row, int32_t limit) {
  const int64_t oldest = row.retain_micros > 0 ? row.now - row.retain_micros : 0;
  const int64_t surplus = row.retain_messages > 0 ? row.ordinal - row.retain_messages : -1;
  const auto found = transaction.Run("last_to_cut", room.value, row.first_seq,
                                     row.first_seq + limit, oldest, surplus);
  if (found.empty()) return 0;
  const auto last = found[0][0].as<int64_t>();
  transaction.Run("empty_events", room.value, row.first_seq, last,
                  row.now - absl::ToInt64Microseconds(kStubAge));
  transaction.Run("advance_log", room.value, last + 1, found[0][1].as<int64_t>());
  const int64_t rows = last - row.first_seq + 1;
  row.first_seq = last + 1;
  return rows;
}

}  // namespace

absl::Span<const PreparedStatement> UpkeepStatements() { return kStatements; }

absl::Status SetRetention(PostgresTransaction& transaction, const RoomId& room,
                          const Retention& retention) {
  const auto changed =
      transaction.Run("set_retention", room.value, absl::ToInt64Microseconds(retention.max_age),
                      retention.max_messages);
  return changed.affected_rows() == 0 ? absl::NotFoundError("no such room") : absl::OkStatus();
}

absl::Status Trim(PostgresTransaction& transaction, const RoomId& room, int32_t rows,
                  TrimStep& step) {
  RoomRow row;
  if (auto status = LockRoom(transaction, room, row); !status.ok()) return status;
  const int64_t cut = Cut(transaction, room, row, rows);
  const auto dropped = static_cast<int64_t>(transaction
                                                .Run("drop_events", room.value, row.lowest_seq,
                                                     std::min(row.lowest_seq + rows, row.first_seq),
                                                     row.now - absl::ToInt64Microseconds(kStubAge))
                                                .affected_rows());
  step = {cut + dropped, cut < rows && dropped < rows};
  return absl::OkStatus();
}

absl::Status Erase(PostgresTransaction& transaction, const RoomId& room, const UserId& user,
                   int64_t after_seq, int32_t rows, EraseStep& step) {
  RoomRow row;
  if (auto status = LockRoom(transaction, room, row); !status.ok()) return status;
  const int64_t after = std::max(after_seq, row.lowest_seq - 1);
  step = {0, std::min(after + rows, row.last_seq), after + rows >= row.last_seq};
  for (const pqxx::row& erased :
       transaction.Run("erase_events", room.value, after, step.next_seq, user.value)) {
    if (erased[0].as<int>() == static_cast<int>(EventKind::kMessagePosted)) ++step.messages;
  }
  return absl::OkStatus();
}

}  // namespace confab::storage
