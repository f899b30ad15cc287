#include "storage/postgres/postgres_feed.h"

#include <algorithm>

#include "storage/postgres/postgres_schema.h"

namespace confab::storage {
namespace {

constexpr PreparedStatement kWrites[] = {
    {"set_feed_cursor",
     "INSERT INTO feed_cursors (consumer, number, room_id, seq, committed_at) "
     "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (consumer) DO UPDATE SET number = excluded.number,"
     " room_id = excluded.room_id, seq = excluded.seq, committed_at = excluded.committed_at"},
    {"delete_feed_cursor", "DELETE FROM feed_cursors WHERE consumer = $1"},
};

// What a transaction that still runs has stored may come to stand before what is visible now, so
// nothing is read from the oldest such transaction on.
#define CONFAB_OLDEST_RUNNING "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

constexpr PreparedStatement kReads[] = {
    // First what was there before there was a feed, by an index of its own.
    {"feed_page",
     "(SELECT tx, room_id, seq FROM events "
     "WHERE tx = 0 AND $1::bigint = 0 AND (room_id, seq) > ($2, $3) ORDER BY room_id, seq LIMIT "
     "$4) "
     "UNION ALL "
     "(SELECT tx, room_id, seq FROM events "
     "WHERE tx >= greatest($1, 1) AND (tx, room_id, seq) > ($1, $2, $3)"
     " AND tx < " CONFAB_OLDEST_RUNNING " ORDER BY tx, room_id, seq LIMIT $4) "
     "ORDER BY tx, room_id, seq LIMIT $4"},
    {"feed_end", "SELECT " CONFAB_OLDEST_RUNNING},
    {"feed_cursors",
     "SELECT consumer, number, room_id, seq, committed_at FROM feed_cursors ORDER BY consumer"},
};
#undef CONFAB_OLDEST_RUNNING

std::string TextOf(const pqxx::field& field) { return {field.c_str(), field.size()}; }

int64_t IntOf(const pqxx::field& field) { return field.as<int64_t>(); }

}  // namespace

absl::Span<const PreparedStatement> FeedWriteStatements() { return kWrites; }
absl::Span<const PreparedStatement> FeedReadStatements() { return kReads; }

absl::Status CheckPostgresFeed(PostgresConnection& connection) {
  constexpr int kVersion = 5;  // Of the migration that brought it.
  const auto version = ReadPostgresVersion(connection);
  if (!version.ok()) return version.status();
  if (*version < kVersion) return absl::OkStatus();
  // A cursor may stand at the oldest transaction that runs, which may be the next one of all.
  const auto rows = connection.Execute(
      "SELECT coalesce((SELECT max(tx) FROM events) >= next.tx, false)"
      " OR coalesce((SELECT max(number) FROM feed_cursors) > next.tx, false) "
      "FROM (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS tx) next");
  if (!rows.ok()) return rows.status();
  if (!(*rows)[0][0].as<bool>()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the events of this database are numbered by the transactions of another server, as after a "
      "restore of its dump: the feed would stay silent. docs/operations.md, \"Restoring a dump\", "
      "has the statements that mend it");
}

absl::Status SetPostgresFeedCursor(PostgresConnection& connection, const FeedCursor& cursor) {
  return connection
      .Commit("set_feed_cursor", cursor.consumer, cursor.position.number,
              cursor.position.room.value, cursor.position.seq,
              absl::ToUnixMicros(cursor.committed_at))
      .status();
}

absl::Status DeletePostgresFeedCursor(PostgresConnection& connection, const std::string& consumer) {
  const auto deleted = connection.Commit("delete_feed_cursor", consumer);
  if (!deleted.ok()) return deleted.status();
  return deleted->affected_rows() == 0 ? absl::NotFoundError("no such consumer") : absl::OkStatus();
}

absl::StatusOr<FeedPage> ReadPostgresFeed(PostgresConnection& connection, const FeedPosition& after,
                                          int32_t limit) {
  const int32_t most = std::max(limit, 1);
  const auto rows = connection.Query("feed_page", after.number, after.room.value, after.seq, most);
  if (!rows.ok()) return rows.status();
  FeedPage page;
  for (const pqxx::row& row : *rows) {
    page.events.push_back({IntOf(row[0]), RoomId(TextOf(row[1])), IntOf(row[2])});
  }
  page.at_end = static_cast<int32_t>(page.events.size()) < most;
  return page;
}

absl::StatusOr<FeedPosition> ReadPostgresFeedEnd(PostgresConnection& connection) {
  const auto rows = connection.Query("feed_end");
  if (!rows.ok()) return rows.status();
  return FeedPosition{IntOf((*rows)[0][0]), RoomId(), 0};
}

absl::StatusOr<std::vector<FeedCursor>> ListPostgresFeedCursors(PostgresConnection& connection) {
  const auto rows = connection.Query("feed_cursors");
  if (!rows.ok()) return rows.status();
  std::vector<FeedCursor> cursors;
  for (const pqxx::row& row : *rows) {
    cursors.push_back({TextOf(row[0]),
                       {IntOf(row[1]), RoomId(TextOf(row[2])), IntOf(row[3])},
                       absl::FromUnixMicros(IntOf(row[4]))});
  }
  return cursors;
}

}  // namespace confab::storage
