#include "storage/sqlite/sqlite_upkeep.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <absl/time/clock.h>

namespace confab::storage {
namespace {

constexpr std::string_view kSet =
    "UPDATE rooms SET retain_micros = ?2, retain_messages = ?3 WHERE id = ?1 AND state = 0 "
    "RETURNING 1";
constexpr std::string_view kRoom =
    "SELECT first_seq, last_seq, ordinal, retain_micros, retain_messages,"
    " coalesce((SELECT min(seq) FROM events WHERE room_id = ?1), 0) "
    "FROM rooms WHERE id = ?1 AND state = 0";
// Times and ordinals never run against seq: what is to go is the beginning of the log.
constexpr std::string_view kLastToCut =
    "SELECT seq, ordinal FROM events WHERE room_id = ?1 AND seq >= ?2 AND seq < ?2 + ?3"
    " AND (created_at < ?4 OR ordinal <= ?5) ORDER BY seq DESC LIMIT 1";
constexpr std::string_view kEmpty =
    "UPDATE events SET actor_name = '', actor_email = '', content = '', body = '', mentions = '' "
    "WHERE room_id = ?1 AND seq >= ?2 AND seq <= ?3 AND created_at >= ?4";
constexpr std::string_view kDrop =
    "DELETE FROM events WHERE room_id = ?1 AND seq >= ?2 AND seq < ?3 AND created_at < ?4 "
    "RETURNING 1";
constexpr std::string_view kAdvance =
    "UPDATE rooms SET first_seq = ?2, gone_ordinal = ?3 WHERE id = ?1";
constexpr std::string_view kErase =
    "UPDATE events SET actor_name = '', actor_email = '',"
    " content = iif(kind = 1, '', content), body = '', mentions = '',"
    " deleted_seq = iif(kind = 1 AND deleted_seq = 0, seq, deleted_seq) "
    "WHERE room_id = ?1 AND seq > ?2 AND seq <= ?3 AND actor_id = ?4 RETURNING kind";

// A statement's rows, counted; with `kind`, those whose first column is it.
absl::StatusOr<int64_t> CountRows(SqliteStatement& statement, int64_t kind = -1) {
  int64_t rows = 0;
  while (true) {
    const auto has_row = statement.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) return rows;
    if (kind < 0 || statement.Int(0) == kind) ++rows;
  }
}

}  // namespace

struct SqliteUpkeep::RoomRow {
  int64_t first_seq = 0;
  int64_t last_seq = 0;
  int64_t ordinal = 0;
  int64_t retain_micros = 0;
  int64_t retain_messages = 0;
  int64_t lowest_seq = 0;  // Of a stub or an event; 0: there is no row.
};

absl::Status SqliteUpkeep::Prepare() {
  const std::pair<SqliteStatement*, std::string_view> statements[] = {
      {&set_, kSet},   {&room_, kRoom},       {&last_to_cut_, kLastToCut}, {&empty_, kEmpty},
      {&drop_, kDrop}, {&advance_, kAdvance}, {&erase_, kErase},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = connection_.Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  return absl::OkStatus();
}

absl::Status SqliteUpkeep::SetRetention(const RoomId& room, const Retention& retention) {
  set_.Bind(room.value, absl::ToInt64Microseconds(retention.max_age), retention.max_messages);
  const auto changed = CountRows(set_);
  if (!changed.ok()) return changed.status();
  return *changed == 0 ? absl::NotFoundError("no such room") : absl::OkStatus();
}

absl::StatusOr<SqliteUpkeep::RoomRow> SqliteUpkeep::FindRoom(const RoomId& room) {
  room_.Bind(room.value);
  const auto has_row = room_.Step();
  if (!has_row.ok()) return has_row.status();
  if (!*has_row) return absl::NotFoundError("no such room");
  const RoomRow row{room_.Int(0), room_.Int(1), room_.Int(2),
                    room_.Int(3), room_.Int(4), room_.Int(5)};
  room_.Reset();
  return row;
}

absl::StatusOr<TrimStep> SqliteUpkeep::Trim(const RoomId& room, int32_t rows) {
  SqliteTransaction transaction(connection_);
  if (auto status = transaction.Begin("BEGIN IMMEDIATE"); !status.ok()) return status;
  const auto row = FindRoom(room);
  if (!row.ok()) return row.status();
  const int64_t now = absl::ToUnixMicros(absl::Now());
  const auto cut = Cut(room, *row, now, rows);
  if (!cut.ok()) return cut.status();
  const auto dropped = DropStubs(room, now, rows);
  if (!dropped.ok()) return dropped.status();
  if (auto status = transaction.Commit(); !status.ok()) return status;
  return TrimStep{*cut + *dropped, *cut < rows && *dropped < rows};
}

absl::StatusOr<int64_t> SqliteUpkeep::Cut(const RoomId& room, const RoomRow& row, int64_t now,
                                          int32_t rows) {
  const int64_t oldest = row.retain_micros > 0 ? now - row.retain_micros : 0;
  const int64_t surplus = row.retain_messages > 0 ? row.ordinal - row.retain_messages : -1;
  last_to_cut_.Bind(room.value, row.first_seq, int64_t{rows}, oldest, surplus);
  const auto has_row = last_to_cut_.Step();
  if (!has_row.ok()) return has_row.status();
  if (!*has_row) return 0;
  const int64_t last = last_to_cut_.Int(0);
  const int64_t ordinal = last_to_cut_.Int(1);
  last_to_cut_.Reset();
  auto status =
      empty_.Run(room.value, row.first_seq, last, now - absl::ToInt64Microseconds(kStubAge));
  if (!status.ok()) return status;
  if (status = advance_.Run(room.value, last + 1, ordinal); !status.ok()) return status;
  return last - row.first_seq + 1;
}

absl::StatusOr<int64_t> SqliteUpkeep::DropStubs(const RoomId& room, int64_t now, int32_t rows) {
  const auto row = FindRoom(room);
  if (!row.ok()) return row.status();
  const int64_t end = std::min(row->lowest_seq + rows, row->first_seq);
  drop_.Bind(room.value, row->lowest_seq, end, now - absl::ToInt64Microseconds(kStubAge));
  return CountRows(drop_);
}

absl::StatusOr<EraseStep> SqliteUpkeep::Erase(const RoomId& room, const UserId& user,
                                              int64_t after_seq, int32_t rows) {
  SqliteTransaction transaction(connection_);
  if (auto status = transaction.Begin("BEGIN IMMEDIATE"); !status.ok()) return status;
  const auto row = FindRoom(room);
  if (!row.ok()) return row.status();
  const int64_t after = std::max(after_seq, row->lowest_seq - 1);
  EraseStep step;
  step.next_seq = std::min(after + rows, row->last_seq);
  step.is_done = step.next_seq >= row->last_seq;
  erase_.Bind(room.value, after, step.next_seq, user.value);
  const auto messages = CountRows(erase_, static_cast<int64_t>(EventKind::kMessagePosted));
  if (!messages.ok()) return messages.status();
  step.messages = *messages;
  if (auto status = transaction.Commit(); !status.ok()) return status;
  return step;
}

}  // namespace confab::storage
