#include "storage/postgres/postgres_reader.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "storage/log_page.h"
#include "storage/postgres/postgres_feed.h"
#include "storage/postgres/postgres_inbox.h"
#include "storage/postgres/text_array.h"

namespace confab::storage {
namespace {

// A page is cut where its content passes $4 bytes, behind at least one event. Windows run in the
// direction of reading, the answer is always ascending.
#define CONFAB_EVENT_PAGE(bound, direction)                                                    \
  "SELECT r.first_seq, r.last_seq, r.member_seq, e.seq, e.created_at, e.kind, e.actor_id,"     \
  " e.actor_name, e.actor_email, e.dedup_key, e.message_id, e.type, e.content, e.reply_to,"    \
  " e.subject, e.role "                                                                        \
  "FROM rooms r LEFT JOIN LATERAL ("                                                           \
  "  SELECT * FROM ("                                                                          \
  "    SELECT v.*, row_number() OVER w AS place, sum(octet_length(v.content)) OVER w AS bytes" \
  "    FROM (SELECT * FROM events WHERE room_id = $1 AND seq " bound                           \
  "          ORDER BY seq " direction                                                          \
  " LIMIT $3) v "                                                                              \
  "    WINDOW w AS (ORDER BY v.seq " direction                                                 \
  ")) counted"                                                                                 \
  "  WHERE place = 1 OR bytes <= $4) e ON true "                                               \
  "WHERE r.id = $1 AND r.state = 0 ORDER BY e.seq"

constexpr PreparedStatement kStatements[] = {
    {"read_room",
     "SELECT r.id, r.topic, r.is_public, r.last_seq, r.member_seq, r.created_at,"
     " m.user_id, m.role, m.changed_seq, m.changed_at "
     "FROM rooms r LEFT JOIN members m ON m.room_id = r.id AND m.user_id = ANY($2::text[]) "
     "WHERE r.id = $1 AND r.state = 0"},
    {"events_forward", CONFAB_EVENT_PAGE("> $2", "ASC")},
    {"events_backward", CONFAB_EVENT_PAGE("< $2", "DESC")},
    {"list_rooms",
     "SELECT id, topic, is_public, last_seq, member_seq, created_at FROM rooms "
     "WHERE id > $1 AND state = 0 ORDER BY id LIMIT $2"},
    {"list_rooms_of_member",
     "SELECT r.id, r.topic, r.is_public, r.last_seq, r.member_seq, r.created_at "
     "FROM members m JOIN rooms r ON r.id = m.room_id "
     "WHERE m.user_id = $1 AND m.room_id > $2 AND m.role > 0 AND r.state = 0 "
     "ORDER BY m.room_id LIMIT $3"},
    {"list_members",
     "SELECT m.user_id, m.role, m.changed_seq, m.changed_at FROM rooms r LEFT JOIN LATERAL ("
     "  SELECT * FROM members WHERE room_id = $1 AND user_id > $2 AND role > 0"
     "  ORDER BY user_id LIMIT $3) m ON true "
     "WHERE r.id = $1 AND r.state = 0 ORDER BY m.user_id"},
    {"count_members",
     "SELECT (SELECT count(*) FROM members WHERE room_id = $1 AND role > 0) FROM rooms "
     "WHERE id = $1 AND state = 0"},
};
#undef CONFAB_EVENT_PAGE

absl::Status NoSuchRoom() { return absl::NotFoundError("no such room"); }

std::string TextOf(const pqxx::field& field) { return {field.c_str(), field.size()}; }

int64_t IntOf(const pqxx::field& field) { return field.as<int64_t>(); }

absl::Time TimeOf(const pqxx::field& field) { return absl::FromUnixMicros(IntOf(field)); }

RoomRecord RoomOf(const pqxx::row& row) {
  return {RoomId(TextOf(row[0])), TextOf(row[1]), row[2].as<bool>(),
          IntOf(row[3]),          IntOf(row[4]),  TimeOf(row[5])};
}

MemberRecord MemberOf(const pqxx::row& row, int first) {
  return {UserId(TextOf(row[first])), static_cast<Role>(IntOf(row[first + 1])),
          IntOf(row[first + 2]), TimeOf(row[first + 3])};
}

EventRecord EventOf(const pqxx::row& row, const RoomId& room) {
  EventRecord record;
  record.room = room;
  record.seq = IntOf(row[3]);
  record.created_at = TimeOf(row[4]);
  NewEvent& event = record.event;
  event.kind = static_cast<EventKind>(IntOf(row[5]));
  event.actor = {UserId(TextOf(row[6])), TextOf(row[7]), TextOf(row[8])};
  const std::string key = TextOf(row[9]);
  if (!key.empty()) event.dedup = {static_cast<DedupKey::Space>(key[0]), key.substr(1)};
  event.message_id = TextOf(row[10]);
  event.type = TextOf(row[11]);
  event.content = TextOf(row[12]);
  event.reply_to = TextOf(row[13]);
  event.subject = UserId(TextOf(row[14]));
  event.role = static_cast<Role>(IntOf(row[15]));
  return record;
}

int32_t Limit(int32_t limit) { return std::max(limit, 0); }

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresReader>> PostgresReader::Open(const PostgresTarget& target,
                                                                     Watchdog& watchdog) {
  auto connection = PostgresConnection::Open(target, watchdog);
  if (!connection.ok()) return connection.status();
  if (auto status = (*connection)->Prepare(kStatements); !status.ok()) return status;
  if (auto status = (*connection)->Prepare(InboxReadStatements()); !status.ok()) return status;
  if (auto status = (*connection)->Prepare(FeedReadStatements()); !status.ok()) return status;
  return std::unique_ptr<PostgresReader>(new PostgresReader(*std::move(connection)));
}

absl::StatusOr<RoomSnapshot> PostgresReader::ReadRoom(const RoomId& id,
                                                      absl::Span<const UserId> users) {
  TextArray asked;
  for (const UserId& user : users) asked.Add(user.value);
  const auto rows = connection_->Query("read_room", id.value, asked.Finish());
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return NoSuchRoom();
  absl::flat_hash_map<UserId, MemberRecord> found;
  for (const pqxx::row& row : *rows) {
    if (row[6].is_null()) continue;
    MemberRecord member = MemberOf(row, 6);
    found.emplace(member.user, member);
  }
  RoomSnapshot snapshot{RoomOf((*rows)[0]), {}};
  snapshot.members.reserve(users.size());
  for (const UserId& user : users) {
    const auto it = found.find(user);
    snapshot.members.push_back(it == found.end() ? MemberRecord{user, Role::kNone, 0, {}}
                                                 : it->second);
  }
  return snapshot;
}

absl::StatusOr<EventPage> PostgresReader::ReadEvents(const EventQuery& query) {
  const int64_t bound = IsForward(query)       ? query.after_seq
                        : query.before_seq < 0 ? std::numeric_limits<int64_t>::max()
                                               : query.before_seq;
  const auto rows =
      connection_->Query(IsForward(query) ? "events_forward" : "events_backward", query.room.value,
                         bound, Limit(query.limit), std::max(query.bytes_limit, 0));
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return NoSuchRoom();
  const pqxx::row first = (*rows)[0];
  const LogBounds log{IntOf(first[0]), IntOf(first[1])};
  EventPage page;
  page.last_seq = log.last_seq;
  page.member_seq = IntOf(first[2]);
  page.events.reserve(static_cast<size_t>(rows->size()));
  for (const pqxx::row& row : *rows) {
    if (!row[3].is_null()) page.events.push_back(EventOf(row, query.room));
  }
  page.more = HasMore(query, page, log);
  return page;
}

absl::StatusOr<std::vector<RoomRecord>> PostgresReader::ListRooms(const RoomId& after,
                                                                  const UserId& member,
                                                                  int32_t limit) {
  const auto rows = member.empty() ? connection_->Query("list_rooms", after.value, Limit(limit))
                                   : connection_->Query("list_rooms_of_member", member.value,
                                                        after.value, Limit(limit));
  if (!rows.ok()) return rows.status();
  std::vector<RoomRecord> rooms;
  for (const pqxx::row& row : *rows) rooms.push_back(RoomOf(row));
  return rooms;
}

absl::StatusOr<std::vector<MemberRecord>> PostgresReader::ListMembers(const RoomId& id,
                                                                      const UserId& after,
                                                                      int32_t limit) {
  const auto rows = connection_->Query("list_members", id.value, after.value, Limit(limit));
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return NoSuchRoom();
  std::vector<MemberRecord> members;
  for (const pqxx::row& row : *rows) {
    if (!row[0].is_null()) members.push_back(MemberOf(row, 0));
  }
  return members;
}

absl::StatusOr<int64_t> PostgresReader::CountMembers(const RoomId& id) {
  const auto rows = connection_->Query("count_members", id.value);
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return NoSuchRoom();
  return IntOf((*rows)[0][0]);
}

absl::StatusOr<std::vector<InboxHead>> PostgresReader::ReadInboxHeads(
    absl::Span<const UserId> users) {
  return ReadPostgresInboxHeads(*connection_, users);
}

absl::StatusOr<InboxPage> PostgresReader::ReadInbox(const InboxQuery& query) {
  return ReadPostgresInbox(*connection_, query);
}

absl::StatusOr<FeedPage> PostgresReader::ReadFeed(const FeedPosition& after, int32_t limit) {
  return ReadPostgresFeed(*connection_, after, limit);
}

absl::StatusOr<FeedPosition> PostgresReader::ReadFeedEnd() {
  return ReadPostgresFeedEnd(*connection_);
}

absl::StatusOr<std::vector<FeedCursor>> PostgresReader::ListFeedCursors() {
  return ListPostgresFeedCursors(*connection_);
}

absl::Status PostgresReader::Ping() { return connection_->Execute("SELECT 1").status(); }

}  // namespace confab::storage
