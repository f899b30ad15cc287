#include "storage/sqlite/sqlite_feed.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace confab::storage {
namespace {

constexpr std::string_view kSet =
    "INSERT INTO feed_cursors (consumer, number, room_id, seq, committed_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (consumer) DO UPDATE SET number = excluded.number,"
    " room_id = excluded.room_id, seq = excluded.seq, committed_at = excluded.committed_at";
constexpr std::string_view kDelete = "DELETE FROM feed_cursors WHERE consumer = ?1 RETURNING 1";
constexpr std::string_view kPage =
    "SELECT rowid, room_id, seq FROM events WHERE rowid > ?1 AND room_id <> '' "
    "ORDER BY rowid LIMIT ?2";
constexpr std::string_view kEnd = "SELECT coalesce(max(rowid), 0) FROM events";
constexpr std::string_view kCursors =
    "SELECT consumer, number, room_id, seq, committed_at FROM feed_cursors ORDER BY consumer";

absl::Status PrepareOne(SqliteConnection& connection, std::string_view sql,
                        SqliteStatement& statement) {
  auto prepared = connection.Prepare(sql);
  if (!prepared.ok()) return prepared.status();
  statement = *std::move(prepared);
  return absl::OkStatus();
}

}  // namespace

absl::Status SqliteFeedWriter::Prepare(SqliteConnection& connection) {
  if (auto status = PrepareOne(connection, kSet, set_); !status.ok()) return status;
  return PrepareOne(connection, kDelete, delete_);
}

absl::Status SqliteFeedWriter::SetCursor(const FeedCursor& cursor) {
  return set_.Run(cursor.consumer, cursor.position.number, cursor.position.room.value,
                  cursor.position.seq, absl::ToUnixMicros(cursor.committed_at));
}

absl::Status SqliteFeedWriter::DeleteCursor(const std::string& consumer) {
  delete_.Bind(consumer);
  const auto has_row = delete_.Step();
  if (!has_row.ok()) return has_row.status();
  if (!*has_row) return absl::NotFoundError("no such consumer");
  const auto is_more = delete_.Step();  // To its end, which is what writes.
  return is_more.status();
}

absl::Status SqliteFeedReader::Prepare(SqliteConnection& connection) {
  if (auto status = PrepareOne(connection, kPage, page_); !status.ok()) return status;
  if (auto status = PrepareOne(connection, kEnd, end_); !status.ok()) return status;
  return PrepareOne(connection, kCursors, cursors_);
}

absl::StatusOr<FeedPage> SqliteFeedReader::Read(const FeedPosition& after, int32_t limit) {
  const int64_t rows = std::max(limit, 1);
  page_.Bind(after.number, rows);
  FeedPage page;
  while (true) {
    const auto has_row = page_.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) break;
    page.events.push_back({page_.Int(0), RoomId(page_.Text(1)), page_.Int(2)});
  }
  page.at_end = static_cast<int64_t>(page.events.size()) < rows;
  return page;
}

absl::StatusOr<FeedPosition> SqliteFeedReader::ReadEnd() {
  const auto has_row = end_.Step();
  if (!has_row.ok()) return has_row.status();
  const FeedPosition end{end_.Int(0), RoomId(), 0};
  end_.Reset();
  return end;
}

absl::StatusOr<std::vector<FeedCursor>> SqliteFeedReader::ListCursors() {
  std::vector<FeedCursor> cursors;
  while (true) {
    const auto has_row = cursors_.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) return cursors;
    cursors.push_back({cursors_.Text(0),
                       {cursors_.Int(1), RoomId(cursors_.Text(2)), cursors_.Int(3)},
                       absl::FromUnixMicros(cursors_.Int(4))});
  }
}

}  // namespace confab::storage
