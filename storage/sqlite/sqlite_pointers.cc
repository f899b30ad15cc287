#include "storage/sqlite/sqlite_pointers.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <absl/container/flat_hash_map.h>
#include <absl/time/clock.h>

#include "storage/record_check.h"

namespace confab::storage {
namespace {

constexpr std::string_view kRoom = "SELECT 1 FROM rooms WHERE id = ?1 AND state = 0";
// What retention has removed has no row; its ordinal is that of the newest removed.
constexpr std::string_view kMove =
    "INSERT INTO read_pointers (room_id, user_id, seq, ordinal, updated_at) "
    "SELECT r.id, ?2, min(?3, r.last_seq), coalesce("
    " (SELECT e.ordinal FROM events e WHERE e.room_id = r.id AND e.seq = min(?3, r.last_seq)),"
    " r.gone_ordinal), ?4 FROM rooms r WHERE r.id = ?1 "
    "ON CONFLICT (room_id, user_id) DO UPDATE SET seq = excluded.seq,"
    " ordinal = excluded.ordinal, updated_at = excluded.updated_at WHERE seq < excluded.seq "
    "RETURNING 1";
constexpr std::string_view kPosition =
    "SELECT p.seq, r.ordinal - max(p.ordinal, r.gone_ordinal) -"
    " (SELECT count(*) FROM events d WHERE d.room_id = r.id AND d.deleted_seq > 0"
    "  AND d.seq > p.seq AND d.seq >= r.first_seq),"
    " (SELECT count(*) FROM (SELECT 1 FROM members WHERE room_id = r.id AND role > 0 LIMIT ?3)) "
    "FROM rooms r JOIN read_pointers p ON p.room_id = r.id AND p.user_id = ?2 WHERE r.id = ?1";
constexpr std::string_view kNewestEvent = "SELECT coalesce(max(last_at), 0) FROM rooms";
constexpr std::string_view kNextRooms =
    "SELECT id, state = 0 AND last_at >= ?2 FROM rooms WHERE id > ?1 ORDER BY id LIMIT ?3";
// Backwards from the newest, so that it ends where they are old.
constexpr std::string_view kRecentPosts =
    "SELECT kind, actor_id, seq, created_at FROM events WHERE room_id = ?1 ORDER BY seq DESC";

}  // namespace

absl::Status SqlitePointers::Prepare() {
  const std::pair<SqliteStatement*, std::string_view> statements[] = {
      {&room_, kRoom},
      {&move_, kMove},
      {&position_, kPosition},
      {&newest_event_, kNewestEvent},
      {&next_rooms_, kNextRooms},
      {&recent_posts_, kRecentPosts},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = connection_.Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<PointerOutcome>> SqlitePointers::Move(
    absl::Span<const PointerMove> moves) {
  if (auto status = CheckMoves(moves); !status.ok()) return status;
  SqliteTransaction transaction(connection_);
  // The whole file is the lock.
  if (auto status = transaction.Begin("BEGIN IMMEDIATE"); !status.ok()) return status;
  const int64_t now = absl::ToUnixMicros(absl::Now());
  std::vector<PointerOutcome> outcomes(moves.size());
  for (size_t i = 0; i < moves.size(); ++i) {
    if (auto status = MoveOne(moves[i], now, outcomes[i]); !status.ok()) return status;
  }
  for (size_t i = 0; i < moves.size(); ++i) {
    if (!moves[i].is_asked || !outcomes[i].is_room_there) continue;
    if (auto status = ReadOutcome(moves[i], outcomes[i]); !status.ok()) return status;
  }
  if (auto status = transaction.Commit(); !status.ok()) return status;
  return outcomes;
}

absl::Status SqlitePointers::MoveOne(const PointerMove& move, int64_t now,
                                     PointerOutcome& outcome) {
  room_.Bind(move.room.value);
  auto has_row = room_.Step();
  room_.Reset();
  if (!has_row.ok() || !*has_row) return has_row.status();
  outcome.is_room_there = true;
  move_.Bind(move.room.value, move.user.value, move.seq, now);
  has_row = move_.Step();
  move_.Reset();
  if (!has_row.ok()) return has_row.status();
  outcome.has_moved = *has_row;
  return absl::OkStatus();
}

absl::Status SqlitePointers::ReadOutcome(const PointerMove& move, PointerOutcome& outcome) {
  position_.Bind(move.room.value, move.user.value, int64_t{PointerOutcome::kMembersCounted});
  const auto has_row = position_.Step();
  if (!has_row.ok() || !*has_row) return has_row.status();
  outcome.position = {position_.Int(0), position_.Int(1)};
  outcome.members = static_cast<int32_t>(position_.Int(2));
  position_.Reset();
  return absl::OkStatus();
}

absl::StatusOr<PointerRepair> SqlitePointers::Repair(absl::Duration window,
                                                     const PointerRepair& from, int32_t rooms) {
  SqliteTransaction transaction(connection_);
  if (auto status = transaction.Begin("BEGIN IMMEDIATE"); !status.ok()) return status;
  PointerRepair next = from;
  if (next.since == absl::InfinitePast()) {
    const auto has_row = newest_event_.Step();
    if (!has_row.ok()) return has_row.status();
    next.since = absl::FromUnixMicros(newest_event_.Int(0)) - window;
    newest_event_.Reset();
  }
  const int64_t since = absl::ToUnixMicros(next.since);
  std::vector<RoomId> recent;
  int32_t seen = 0;
  next_rooms_.Bind(from.after.value, since, int64_t{rooms});
  for (;; ++seen) {
    const auto has_row = next_rooms_.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) break;
    next.after = RoomId(next_rooms_.Text(0));
    if (next_rooms_.Int(1) != 0) recent.push_back(next.after);
  }
  next.is_done = seen < rooms;
  const int64_t now = absl::ToUnixMicros(absl::Now());
  for (const RoomId& room : recent) {
    if (auto status = RepairRoom(room, since, now); !status.ok()) return status;
  }
  if (auto status = transaction.Commit(); !status.ok()) return status;
  return next;
}

absl::Status SqlitePointers::RepairRoom(const RoomId& room, int64_t since, int64_t now) {
  absl::flat_hash_map<UserId, int64_t> newest;
  recent_posts_.Bind(room.value);
  while (true) {
    const auto has_row = recent_posts_.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row || recent_posts_.Int(3) < since) break;
    if (recent_posts_.Int(0) != static_cast<int64_t>(EventKind::kMessagePosted)) continue;
    newest.try_emplace(UserId(recent_posts_.Text(1)), recent_posts_.Int(2));
  }
  recent_posts_.Reset();
  for (const auto& [user, seq] : newest) {
    PointerOutcome outcome;
    if (user.empty()) continue;
    if (auto status = MoveOne({room, user, seq}, now, outcome); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace confab::storage
