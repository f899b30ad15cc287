#include "storage/postgres/audit_statements.h"

#include <algorithm>
#include <limits>
#include <string>

#include "storage/postgres/text_array.h"

namespace confab::storage {
namespace {

constexpr PreparedStatement kWrite[] = {
    {"write_audit",
     "INSERT INTO audit (at, actor_id, service, act, room_id, subject, result, request_id, seq) "
     "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, a.* FROM"
     " unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],"
     " $8::bigint[]) AS a"},
};

// `first` keeps to one index; the other restrictions hold where they are given.
#define CONFAB_AUDIT_PAGE(first)                                                      \
  "SELECT id, at, actor_id, service, act, room_id, subject, result, request_id, seq " \
  "FROM audit WHERE id < $1 AND " first                                               \
  " AND ($2 = '' OR room_id = $2) AND ($3 = '' OR actor_id = $3)"                     \
  " AND ($4 = '' OR subject = $4) ORDER BY id DESC LIMIT $5"
constexpr PreparedStatement kRead[] = {
    {"list_audit", CONFAB_AUDIT_PAGE("true")},
    {"list_audit_by_room", CONFAB_AUDIT_PAGE("room_id = $2")},
    {"list_audit_by_actor", CONFAB_AUDIT_PAGE("actor_id = $3")},
    {"list_audit_by_subject", CONFAB_AUDIT_PAGE("subject = $4")},
};
#undef CONFAB_AUDIT_PAGE

std::string TextOf(const pqxx::field& field) { return {field.c_str(), field.size()}; }

AuditRecord RecordOf(const pqxx::row& row) {
  AuditRecord record;
  record.id = row[0].as<int64_t>();
  record.at = absl::FromUnixMicros(row[1].as<int64_t>());
  record.actor = UserId(TextOf(row[2]));
  record.note = {TextOf(row[4]), TextOf(row[3]), TextOf(row[8])};
  record.room = RoomId(TextOf(row[5]));
  record.subject = UserId(TextOf(row[6]));
  record.result = TextOf(row[7]);
  record.seq = row[9].as<int64_t>();
  return record;
}

// Gives `write` the parameters of write_audit; not at all if there is nothing to write.
template <typename Write>
void WithColumns(absl::Span<const AuditRecord> records, Write write) {
  if (records.empty()) return;
  TextArray actors, services, acts, rooms, subjects, results, requests, seqs;
  for (const AuditRecord& record : records) {
    actors.Add(record.actor.value);
    services.Add(record.note.service);
    acts.Add(record.note.act);
    rooms.Add(record.room.value);
    subjects.Add(record.subject.value);
    results.Add(record.result);
    requests.Add(record.note.request_id);
    seqs.Add(record.seq);
  }
  write(actors.Finish(), services.Finish(), acts.Finish(), rooms.Finish(), subjects.Finish(),
        results.Finish(), requests.Finish(), seqs.Finish());
}

}  // namespace

absl::Span<const PreparedStatement> AuditWriteStatements() { return kWrite; }
absl::Span<const PreparedStatement> AuditReadStatements() { return kRead; }

void WriteAuditRecords(PostgresTransaction& transaction, absl::Span<const AuditRecord> records) {
  WithColumns(records, [&](const auto&... columns) { transaction.Run("write_audit", columns...); });
}

void WriteAuditRecords(PqTransaction& transaction, absl::Span<const AuditRecord> records) {
  WithColumns(records,
              [&](const auto&... columns) { transaction.Send("write_audit", columns...); });
}

absl::StatusOr<std::vector<AuditRecord>> ListAuditRecords(PostgresConnection& connection,
                                                          const AuditQuery& query) {
  const char* statement = !query.subject.empty() ? "list_audit_by_subject"
                          : !query.room.empty()  ? "list_audit_by_room"
                          : !query.actor.empty() ? "list_audit_by_actor"
                                                 : "list_audit";
  const int64_t before =
      query.before_id > 0 ? query.before_id : std::numeric_limits<int64_t>::max();
  const auto rows = connection.Query(statement, before, query.room.value, query.actor.value,
                                     query.subject.value, std::max(query.limit, 0));
  if (!rows.ok()) return rows.status();
  std::vector<AuditRecord> records;
  for (const pqxx::row& row : *rows) records.push_back(RecordOf(row));
  return records;
}

}  // namespace confab::storage
