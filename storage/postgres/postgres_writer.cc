#include "storage/postgres/postgres_writer.h"

#include <string>
#include <utility>

#include "storage/postgres/append_statements.h"
#include "storage/postgres/audit_statements.h"
#include "storage/postgres/one_trip_append.h"
#include "storage/postgres/postgres_feed.h"
#include "storage/postgres/postgres_inbox.h"
#include "storage/postgres/postgres_pointers.h"
#include "storage/postgres/postgres_schema.h"
#include "storage/postgres/postgres_upkeep.h"
#include "storage/record_check.h"
#include "storage/room_state.h"

namespace confab::storage {
namespace {

constexpr PreparedStatement kRoomStatements[] = {
    // Answers nothing if the room is there, or still has rows of its former life.
    {"create_room",
     "INSERT INTO rooms AS r (id, topic, is_public, first_seq, last_seq, member_seq, created_at,"
     " last_at, state) "
     "SELECT $1, $2, $3, 1, 0, 0, n.now, n.now, 0 FROM"
     " (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now) n "
     "ON CONFLICT (id) DO UPDATE SET topic = excluded.topic, is_public = excluded.is_public,"
     " first_seq = r.last_seq + 1, member_seq = r.last_seq,"
     " created_at = greatest(r.last_at, excluded.created_at),"
     " last_at = greatest(r.last_at, excluded.created_at), state = 0,"
     " gone_ordinal = r.ordinal, retain_micros = 0, retain_messages = 0 WHERE r.state = 2 "
     "RETURNING last_seq, created_at, ordinal, pg_current_xact_id()"},
    {"room_state", "SELECT state FROM rooms WHERE id = $1"},
    {"delete_room",
     "UPDATE rooms SET state = 1, topic = '', metadata = '' WHERE id = $1 AND state = 0"},
    {"next_to_purge", "SELECT id FROM rooms WHERE state = 1 ORDER BY id LIMIT 1"},
    {"purge_members",
     "DELETE FROM members WHERE room_id = $1 AND user_id IN"
     " (SELECT user_id FROM members WHERE room_id = $1 ORDER BY user_id LIMIT $2)"},
    {"purge_pointers",
     "DELETE FROM read_pointers WHERE room_id = $1 AND user_id IN"
     " (SELECT user_id FROM read_pointers WHERE room_id = $1 ORDER BY user_id LIMIT $2)"},
    {"purge_events",
     "DELETE FROM events WHERE room_id = $1 AND seq IN"
     " (SELECT seq FROM events WHERE room_id = $1 ORDER BY seq LIMIT $2)"},
    {"set_purged", "UPDATE rooms SET state = 2 WHERE id = $1 AND state = 1"},
};

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresWriter>> PostgresWriter::Open(const PostgresTarget& target,
                                                                     Watchdog& watchdog,
                                                                     ActiveLock& active_lock) {
  std::unique_ptr<PostgresWriter> writer(new PostgresWriter(target, watchdog, active_lock));
  if (auto status = writer->EnsureConnected(); !status.ok()) return status;
  writer->Purge(kPurgeLimit).IgnoreError();  // Tried again at the next deletion or opening.
  return writer;
}

absl::Status PostgresWriter::EnsureConnected() {
  if (connection_ != nullptr && !connection_->is_broken()) return absl::OkStatus();
  connection_.reset();
  auto opened = PostgresConnection::Open(target_, watchdog_);
  if (!opened.ok()) return opened.status();
  PostgresConnection& connection = **opened;
  // Again for each: a default may have been changed since the start.
  auto status = CheckServer(connection, target_.allow_unsafe_durability);
  if (!status.ok()) return status;
  if (status = active_lock_.Admit(connection); !status.ok()) return status;
  const auto event_type = FindEventType(connection);
  if (!event_type.ok()) return event_type.status();
  if (status = connection.Prepare(PqTransactionStatements()); !status.ok()) return status;
  if (status = connection.Prepare(AppendStatements()); !status.ok()) return status;
  if (status = connection.Prepare(OneTripStatements()); !status.ok()) return status;
  if (status = connection.Prepare(AuditWriteStatements()); !status.ok()) return status;
  if (status = connection.Prepare(PointerStatements()); !status.ok()) return status;
  if (status = connection.Prepare(UpkeepStatements()); !status.ok()) return status;
  if (status = connection.Prepare(kRoomStatements); !status.ok()) return status;
  if (status = connection.Prepare(InboxWriteStatements()); !status.ok()) return status;
  if (status = connection.Prepare(FeedWriteStatements()); !status.ok()) return status;
  event_type_ = *event_type;
  connection_ = *std::move(opened);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AppendOutcome>> PostgresWriter::Append(AppendBatch batch) {
  if (auto status = CheckBatch(batch); !status.ok()) return status;
  if (auto status = EnsureConnected(); !status.ok()) return status;
  if (batch.size() <= target_.one_trip_limit && FitsOneTrip(batch)) {
    auto outcomes = AppendInOneTrip(*connection_, batch);
    if (!outcomes.ok() || !outcomes->empty()) return outcomes;
  }
  return AppendInTwoTrips(batch);
}

absl::StatusOr<std::vector<AppendOutcome>> PostgresWriter::AppendInTwoTrips(AppendBatch batch) {
  AppendPlanner planner(batch);
  PqTransaction transaction(*connection_);
  const auto moment = LockAndLookUp(transaction, batch, planner);
  if (!moment.ok()) return moment.status();
  auto plan = planner.Plan(moment->now);
  if (!plan.ok()) return plan.status();
  WritePlan(transaction, *plan, *moment, event_type_);
  if (auto status = transaction.Commit(); !status.ok()) return status;
  return std::move(plan->outcomes);
}

absl::StatusOr<RoomRecord> PostgresWriter::CreateRoom(const NewRoom& room) {
  if (auto status = CheckNewRoom(room); !status.ok()) return status;
  if (auto status = EnsureConnected(); !status.ok()) return status;
  const auto state = connection_->Query("room_state", room.id.value);
  if (!state.ok()) return state.status();
  if (!state->empty() && (*state)[0][0].as<int>() == static_cast<int>(RoomState::kDeleted)) {
    // The rest of the old log must be gone before anybody can read the new one.
    if (auto status = PurgeRoom(room.id, {}, absl::InfiniteDuration()); !status.ok()) return status;
  }
  return CreateOver(room);
}

absl::StatusOr<RoomRecord> PostgresWriter::CreateOver(const NewRoom& room) {
  PqTransaction transaction(*connection_);
  transaction.Send("create_room", room.id.value, room.topic, room.is_public);
  const auto answers = transaction.Ask();
  if (!answers.ok()) return answers.status();
  const PqRows& row = answers->front();
  if (row.size() == 0) return absl::AlreadyExistsError("the room exists");
  const int64_t last_seq = row.Int(0, 0);
  const AppendMoment moment{absl::FromUnixMicros(row.Int(0, 1)), row.Int(0, 3)};
  RoomRecord record{room, room.id, last_seq, last_seq, moment.now};
  WriteSettings(transaction, room.id, room);
  if (room.audit != nullptr) {
    const AuditRecord audit = AuditOfNewRoom(room);
    WriteAuditRecords(transaction, absl::MakeConstSpan(&audit, 1));
  }
  const LockedRoom before{last_seq, last_seq, moment.now, row.Int(0, 2)};
  const AppendRequest first = FirstEvents(room, before);
  if (!first.events.empty()) {
    AppendPlanner planner(absl::MakeConstSpan(&first, 1));
    planner.SetRoom(room.id, before);
    const auto plan = planner.Plan(moment.now);
    if (!plan.ok()) return plan.status();
    WritePlan(transaction, *plan, moment, event_type_);
    record.last_seq = plan->rooms[0].after.last_seq;
    record.member_seq = plan->rooms[0].after.member_seq;
  }
  if (auto status = transaction.Commit(); !status.ok()) return status;
  return record;
}

absl::Status PostgresWriter::WriteAudit(absl::Span<const AuditRecord> records) {
  if (auto status = CheckAudit(records); !status.ok()) return status;
  if (auto status = EnsureConnected(); !status.ok()) return status;
  return connection_->Transact([&](PostgresTransaction& transaction) {
    WriteAuditRecords(transaction, records);
    return absl::OkStatus();
  });
}

absl::Status PostgresWriter::DeleteRoom(const RoomId& room, const AuditRecord* audit) {
  if (auto status = CheckId(room.value, "room id"); !status.ok()) return status;
  if (auto status = EnsureConnected(); !status.ok()) return status;
  auto status = connection_->Transact([&](PostgresTransaction& transaction) {
    if (transaction.Run("delete_room", room.value).affected_rows() == 0) {
      return absl::NotFoundError("no such room");
    }
    if (audit != nullptr) WriteAuditRecords(transaction, absl::MakeConstSpan(audit, 1));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  // Nobody sees the room any more; what is left of it now goes later.
  Purge(kPurgeLimit).IgnoreError();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<InboxOutcome>> PostgresWriter::WriteInboxes(
    absl::Span<const InboxWrite> batch) {
  if (auto status = CheckInboxWrites(batch); !status.ok()) return status;
  if (auto status = EnsureConnected(); !status.ok()) return status;
  std::vector<InboxOutcome> outcomes;
  auto status = connection_->Transact([&](PostgresTransaction& transaction) {
    outcomes = WritePostgresInboxes(transaction, batch);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return outcomes;
}

absl::StatusOr<std::vector<PointerOutcome>> PostgresWriter::MovePointers(
    absl::Span<const PointerMove> moves) {
  if (auto status = CheckMoves(moves); !status.ok()) return status;
  if (auto status = EnsureConnected(); !status.ok()) return status;
  std::vector<PointerOutcome> outcomes;
  auto status = connection_->Transact([&](PostgresTransaction& transaction) {
    outcomes = storage::MovePointers(transaction, moves);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return outcomes;
}

absl::Status PostgresWriter::SetFeedCursor(const FeedCursor& cursor) {
  if (auto status = EnsureConnected(); !status.ok()) return status;
  return SetPostgresFeedCursor(*connection_, cursor);
}

absl::Status PostgresWriter::DeleteFeedCursor(const std::string& consumer) {
  if (auto status = EnsureConnected(); !status.ok()) return status;
  return DeletePostgresFeedCursor(*connection_, consumer);
}

absl::StatusOr<PointerRepair> PostgresWriter::RepairPointers(absl::Duration window,
                                                             const PointerRepair& from,
                                                             int32_t rooms) {
  if (auto status = EnsureConnected(); !status.ok()) return status;
  return storage::RepairPointers(*connection_, window, from, rooms);
}

absl::Status PostgresWriter::SetRetention(const RoomId& room, const Retention& retention,
                                          const AuditRecord* audit) {
  if (auto status = EnsureConnected(); !status.ok()) return status;
  return connection_->Transact([&](PostgresTransaction& transaction) {
    auto status = storage::SetRetention(transaction, room, retention);
    if (status.ok() && audit != nullptr) {
      WriteAuditRecords(transaction, absl::MakeConstSpan(audit, 1));
    }
    return status;
  });
}

absl::StatusOr<TrimStep> PostgresWriter::Trim(const RoomId& room, int32_t rows) {
  if (auto status = EnsureConnected(); !status.ok()) return status;
  TrimStep step;
  auto status = connection_->Transact([&](PostgresTransaction& transaction) {
    return storage::Trim(transaction, room, rows, step);
  });
  if (!status.ok()) return status;
  return step;
}

absl::StatusOr<EraseStep> PostgresWriter::Erase(const RoomId& room, const UserId& user,
                                                int64_t after_seq, int32_t rows) {
  if (auto status = EnsureConnected(); !status.ok()) return status;
  EraseStep step;
  auto status = connection_->Transact([&](PostgresTransaction& transaction) {
    return storage::Erase(transaction, room, user, after_seq, rows, step);
  });
  if (!status.ok()) return status;
  return step;
}

absl::Status PostgresWriter::Purge(absl::Duration limit) {
  const process::Stopwatch purging;
  while (purging.elapsed() < limit) {
    const auto rows = connection_->Query("next_to_purge");
    if (!rows.ok()) return rows.status();
    if (rows->empty()) return absl::OkStatus();
    auto status = PurgeRoom(RoomId((*rows)[0][0].as<std::string>()), purging, limit);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PostgresWriter::PurgeRoom(const RoomId& room, const process::Stopwatch& purging,
                                       absl::Duration limit) {
  for (const char* statement : {"purge_members", "purge_pointers", "purge_events"}) {
    while (true) {
      const auto removed = connection_->Query(statement, room.value, kPurgeRows);
      if (!removed.ok()) return removed.status();
      if (removed->affected_rows() == 0) break;
      if (purging.elapsed() >= limit) return absl::OkStatus();
    }
  }
  return connection_->Query("set_purged", room.value).status();
}

}  // namespace confab::storage
