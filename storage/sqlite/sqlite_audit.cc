#include "storage/sqlite/sqlite_audit.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace confab::storage {
namespace {

constexpr std::string_view kInsert =
    "INSERT INTO audit (at, actor_id, service, act, room_id, subject, result, request_id, seq) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

// `first` keeps to one index; the other restrictions hold where they are given.
#define CONFAB_AUDIT_PAGE(first)                                                      \
  "SELECT id, at, actor_id, service, act, room_id, subject, result, request_id, seq " \
  "FROM audit WHERE id < ?1 AND " first                                               \
  " AND (?2 = '' OR room_id = ?2) AND (?3 = '' OR actor_id = ?3)"                     \
  " AND (?4 = '' OR subject = ?4) ORDER BY id DESC LIMIT ?5"
constexpr std::string_view kAll = CONFAB_AUDIT_PAGE("1");
constexpr std::string_view kByRoom = CONFAB_AUDIT_PAGE("room_id = ?2");
constexpr std::string_view kByActor = CONFAB_AUDIT_PAGE("actor_id = ?3");
constexpr std::string_view kBySubject = CONFAB_AUDIT_PAGE("subject = ?4");
#undef CONFAB_AUDIT_PAGE

absl::Status PrepareOne(SqliteConnection& connection, std::string_view sql, SqliteStatement& out) {
  auto prepared = connection.Prepare(sql);
  if (!prepared.ok()) return prepared.status();
  out = *std::move(prepared);
  return absl::OkStatus();
}

AuditRecord RecordOf(const SqliteStatement& row) {
  AuditRecord record;
  record.id = row.Int(0);
  record.at = absl::FromUnixMicros(row.Int(1));
  record.actor = UserId(row.Text(2));
  record.note = {row.Text(4), row.Text(3), row.Text(8)};
  record.room = RoomId(row.Text(5));
  record.subject = UserId(row.Text(6));
  record.result = row.Text(7);
  record.seq = row.Int(9);
  return record;
}

}  // namespace

absl::Status SqliteAuditWriter::Prepare(SqliteConnection& connection) {
  return PrepareOne(connection, kInsert, insert_);
}

absl::Status SqliteAuditWriter::Write(absl::Span<const AuditRecord> records, absl::Time now) {
  for (const AuditRecord& record : records) {
    auto status = insert_.Run(absl::ToUnixMicros(now), record.actor.value, record.note.service,
                              record.note.act, record.room.value, record.subject.value,
                              record.result, record.note.request_id, record.seq);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SqliteAuditReader::Prepare(SqliteConnection& connection) {
  const std::pair<SqliteStatement*, std::string_view> statements[] = {
      {&all_, kAll}, {&by_room_, kByRoom}, {&by_actor_, kByActor}, {&by_subject_, kBySubject}};
  for (const auto& [statement, sql] : statements) {
    if (auto status = PrepareOne(connection, sql, *statement); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AuditRecord>> SqliteAuditReader::List(const AuditQuery& query) {
  SqliteStatement& rows = !query.subject.empty() ? by_subject_
                          : !query.room.empty()  ? by_room_
                          : !query.actor.empty() ? by_actor_
                                                 : all_;
  const int64_t before =
      query.before_id > 0 ? query.before_id : std::numeric_limits<int64_t>::max();
  rows.Bind(before, query.room.value, query.actor.value, query.subject.value,
            static_cast<int64_t>(std::max(query.limit, 0)));
  std::vector<AuditRecord> records;
  while (true) {
    const auto has_row = rows.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) return records;
    records.push_back(RecordOf(rows));
  }
}

}  // namespace confab::storage
