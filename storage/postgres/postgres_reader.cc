#include "storage/postgres/postgres_reader.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <absl/container/flat_hash_map.h>
#include <absl/time/clock.h>

#include "storage/log_page.h"
#include "storage/postgres/audit_statements.h"
#include "storage/postgres/postgres_feed.h"
#include "storage/postgres/postgres_inbox.h"
#include "storage/postgres/text_array.h"
#include "storage/restriction.h"
#include "storage/text_list.h"

namespace confab::storage {
namespace {

// A page is cut where its content passes $4 bytes, behind at least one event. Windows run in the
// direction of reading, the answer is always ascending. Rows below first_seq are stubs of what
// retention has removed. An edit's own row is empty: it shows what its message says now;
// OFFSET 0 keeps the planner from joining the whole log for it.
#define CONFAB_EVENT_PAGE(bound, direction)                                                     \
  "SELECT r.first_seq, r.last_seq, r.member_seq, e.seq, e.created_at, e.kind, e.actor_id,"      \
  " e.actor_name, e.actor_email, e.dedup_key, e.message_id, e.type, e.content, e.reply_to,"     \
  " e.subject, e.role, e.body, e.mentions, e.target_seq, e.edited_seq, e.deleted_seq "          \
  "FROM rooms r LEFT JOIN LATERAL ("                                                            \
  "  SELECT * FROM ("                                                                           \
  "    SELECT v.*, row_number() OVER w AS place,"                                               \
  "     sum(octet_length(v.content) + octet_length(v.body) + octet_length(v.mentions)) OVER w"  \
  "      AS bytes"                                                                              \
  "    FROM (SELECT l.seq, l.created_at, l.kind, l.actor_id, l.actor_name, l.actor_email,"      \
  "           l.dedup_key, l.message_id, l.type, coalesce(o.content, l.content) AS content,"    \
  "           l.reply_to, l.subject, l.role, coalesce(o.body, l.body) AS body,"                 \
  "           coalesce(o.mentions, l.mentions) AS mentions, l.target_seq, l.edited_seq,"        \
  "           l.deleted_seq"                                                                    \
  "          FROM (SELECT * FROM events WHERE room_id = $1 AND seq " bound                      \
  "                 AND seq >= r.first_seq ORDER BY seq " direction                             \
  " LIMIT $3) l LEFT JOIN LATERAL ("                                                            \
  "           SELECT content, body, mentions FROM events"                                       \
  "           WHERE l.kind = 2 AND room_id = $1 AND seq = l.target_seq OFFSET 0) o ON true) v " \
  "    WINDOW w AS (ORDER BY v.seq " direction                                                  \
  ")) counted"                                                                                  \
  "  WHERE place = 1 OR bytes <= $4) e ON true "                                                \
  "WHERE r.id = $1 AND r.state = 0 ORDER BY e.seq"

// As RoomOf and MemberOf read them.
#define CONFAB_ROOM_COLUMNS                                                            \
  "r.id, r.topic, r.is_public, r.last_seq, r.member_seq, r.created_at, r.is_archived," \
  " r.is_read_only, r.slow_mode_s, r.metadata"
#define CONFAB_MEMBER_COLUMNS \
  "m.user_id, m.role, m.changed_seq, m.changed_at, m.banned_until, m.muted_until"
#define CONFAB_MEMBER_PAGE(condition)                                          \
  "SELECT " CONFAB_MEMBER_COLUMNS                                              \
  " FROM rooms r LEFT JOIN LATERAL ("                                          \
  "  SELECT * FROM members WHERE room_id = $1 AND user_id > $2 AND " condition \
  "  ORDER BY user_id LIMIT $3) m ON true "                                    \
  "WHERE r.id = $1 AND r.state = 0 ORDER BY m.user_id"

constexpr PreparedStatement kStatements[] = {
    {"read_room",
     "SELECT " CONFAB_ROOM_COLUMNS ", " CONFAB_MEMBER_COLUMNS
     " FROM rooms r LEFT JOIN members m ON m.room_id = r.id AND m.user_id = ANY($2::text[]) "
     "WHERE r.id = $1 AND r.state = 0"},
    {"events_forward", CONFAB_EVENT_PAGE("> $2", "ASC")},
    {"events_backward", CONFAB_EVENT_PAGE("< $2", "DESC")},
    // The log's times never run against seq, so it is halved until the place is found: the first
    // event of the time or later, or the seq behind the newest.
    {"find_seq",
     "WITH RECURSIVE search (low, high) AS ("
     "  SELECT first_seq, last_seq + 1 FROM rooms WHERE id = $1 AND state = 0"
     " UNION ALL"
     "  SELECT CASE WHEN m.is_before THEN m.seq + 1 ELSE s.low END,"
     "   CASE WHEN m.is_before THEN s.high ELSE m.seq END"
     "  FROM search s CROSS JOIN LATERAL ("
     "   SELECT e.seq, e.created_at < $2 AS is_before FROM events e"
     "   WHERE e.room_id = $1 AND e.seq = s.low + (s.high - s.low) / 2 OFFSET 0) m"
     "  WHERE s.low < s.high) "
     "SELECT low FROM search WHERE low >= high"},
    {"list_rooms", "SELECT " CONFAB_ROOM_COLUMNS
                   " FROM rooms r WHERE r.id > $1 AND r.state = 0 ORDER BY r.id LIMIT $2"},
    {"list_rooms_of_member",
     "SELECT " CONFAB_ROOM_COLUMNS " FROM members m JOIN rooms r ON r.id = m.room_id "
     "WHERE m.user_id = $1 AND m.room_id > $2 AND m.role > 0 AND r.state = 0 "
     "ORDER BY m.room_id LIMIT $3"},
    // Unread: messages behind the pointer that are kept, but for those deleted. Stubs count as
    // gone.
    {"list_memberships",
     "SELECT " CONFAB_ROOM_COLUMNS ", m.role, coalesce(p.seq, 0),"
     " r.ordinal - greatest(coalesce(p.ordinal, 0), r.gone_ordinal) -"
     " (SELECT count(*) FROM events d WHERE d.room_id = r.id AND d.deleted_seq > 0"
     "  AND d.seq > coalesce(p.seq, 0) AND d.seq >= r.first_seq) "
     "FROM members m JOIN rooms r ON r.id = m.room_id"
     " LEFT JOIN read_pointers p ON p.room_id = m.room_id AND p.user_id = m.user_id "
     "WHERE m.user_id = $1 AND m.room_id > $2 AND m.role > 0 AND r.state = 0 "
     "ORDER BY m.room_id LIMIT $3"},
    {"position_at",
     "SELECT least(r.last_seq, $2), r.ordinal - greatest(r.gone_ordinal, coalesce("
     " (SELECT e.ordinal FROM events e WHERE e.room_id = r.id AND e.seq = least(r.last_seq, $2)),"
     "  0)) - (SELECT count(*) FROM events d WHERE d.room_id = r.id AND d.deleted_seq > 0"
     "         AND d.seq > $2 AND d.seq >= r.first_seq) "
     "FROM rooms r WHERE r.id = $1 AND r.state = 0"},
    {"list_retained",
     "SELECT id FROM rooms WHERE (retain_micros > 0 OR retain_messages > 0) AND state = 0"
     " AND id > $1 ORDER BY id LIMIT $2"},
    {"read_retention",
     "SELECT retain_micros, retain_messages FROM rooms WHERE id = $1 AND state = 0"},
    // Two halves, each by its own index.
    {"list_rooms_ever",
     "SELECT room_id FROM members WHERE user_id = $1 AND room_id > $2 AND role > 0 "
     "UNION SELECT room_id FROM members WHERE user_id = $1 AND room_id > $2 AND role = 0 "
     "ORDER BY room_id LIMIT $3"},
    {"list_members", CONFAB_MEMBER_PAGE("role > 0")},
    {"list_banned", CONFAB_MEMBER_PAGE("banned_until > 0 AND banned_until > $4")},
    {"count_members",
     "SELECT (SELECT count(*) FROM members WHERE room_id = $1 AND role > 0) FROM rooms "
     "WHERE id = $1 AND state = 0"},
};
#undef CONFAB_MEMBER_PAGE
#undef CONFAB_MEMBER_COLUMNS
#undef CONFAB_ROOM_COLUMNS
#undef CONFAB_EVENT_PAGE

absl::Status NoSuchRoom() { return absl::NotFoundError("no such room"); }

std::string TextOf(const pqxx::field& field) { return {field.c_str(), field.size()}; }

int64_t IntOf(const pqxx::field& field) { return field.as<int64_t>(); }

absl::Time TimeOf(const pqxx::field& field) { return absl::FromUnixMicros(IntOf(field)); }

constexpr int kRoomColumns = 10;

RoomRecord RoomOf(const pqxx::row& row) {
  RoomRecord room;
  room.id = RoomId(TextOf(row[0]));
  room.topic = TextOf(row[1]);
  room.is_public = row[2].as<bool>();
  room.last_seq = IntOf(row[3]);
  room.member_seq = IntOf(row[4]);
  room.created_at = TimeOf(row[5]);
  room.is_archived = row[6].as<bool>();
  room.is_read_only = row[7].as<bool>();
  room.slow_mode_seconds = row[8].as<int32_t>();
  room.metadata = DecodeTextMap(TextOf(row[9])).value_or(TextMap{});
  return room;
}

MemberRecord MemberOf(const pqxx::row& row, int first) {
  return {UserId(TextOf(row[first])),
          static_cast<Role>(IntOf(row[first + 1])),
          IntOf(row[first + 2]),
          TimeOf(row[first + 3]),
          RestrictionEnd(IntOf(row[first + 4])),
          RestrictionEnd(IntOf(row[first + 5]))};
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
  event.body = TextOf(row[16]);
  event.mentions = DecodeUsers(row[17].c_str());
  event.target_seq = IntOf(row[18]);
  record.marks = {IntOf(row[19]), IntOf(row[20]) > 0};
  return record;
}

int32_t Limit(int32_t limit) { return std::max(limit, 0); }

absl::StatusOr<std::vector<RoomId>> RoomIdsOf(const absl::StatusOr<pqxx::result>& rows) {
  if (!rows.ok()) return rows.status();
  std::vector<RoomId> rooms;
  for (const pqxx::row& row : *rows) rooms.emplace_back(TextOf(row[0]));
  return rooms;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresReader>> PostgresReader::Open(const PostgresTarget& target,
                                                                     Watchdog& watchdog) {
  auto connection = PostgresConnection::Open(target, watchdog);
  if (!connection.ok()) return connection.status();
  if (auto status = (*connection)->Prepare(kStatements); !status.ok()) return status;
  if (auto status = (*connection)->Prepare(InboxReadStatements()); !status.ok()) return status;
  if (auto status = (*connection)->Prepare(FeedReadStatements()); !status.ok()) return status;
  if (auto status = (*connection)->Prepare(AuditReadStatements()); !status.ok()) return status;
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
    if (row[kRoomColumns].is_null()) continue;
    MemberRecord member = MemberOf(row, kRoomColumns);
    found.emplace(member.user, member);
  }
  RoomSnapshot snapshot{RoomOf((*rows)[0]), {}};
  snapshot.members.reserve(users.size());
  for (const UserId& user : users) {
    const auto it = found.find(user);
    snapshot.members.push_back(it == found.end() ? MemberRecord{user} : it->second);
  }
  return snapshot;
}

absl::StatusOr<EventPage> PostgresReader::ReadEvents(const EventQuery& asked) {
  EventQuery query = asked;
  if (const absl::Time* time = TimeBound(asked)) {
    const auto found = connection_->Query("find_seq", asked.room.value,
                                          absl::ToUnixMicros(*time + absl::Nanoseconds(999)));
    if (!found.ok()) return found.status();
    if (found->empty()) return NoSuchRoom();
    query = BoundBySeq(asked, IntOf((*found)[0][0]));
  }
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

absl::StatusOr<std::vector<MembershipRecord>> PostgresReader::ListMemberships(const UserId& user,
                                                                              const RoomId& after,
                                                                              int32_t limit) {
  const auto rows = connection_->Query("list_memberships", user.value, after.value, Limit(limit));
  if (!rows.ok()) return rows.status();
  std::vector<MembershipRecord> memberships;
  for (const pqxx::row& row : *rows) {
    memberships.push_back(
        {RoomOf(row), static_cast<Role>(IntOf(row[10])), {IntOf(row[11]), IntOf(row[12])}});
  }
  return memberships;
}

absl::StatusOr<ReadPosition> PostgresReader::ReadPositionAt(const RoomId& room, int64_t seq) {
  const auto rows = connection_->Query("position_at", room.value, seq);
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return NoSuchRoom();
  return ReadPosition{IntOf((*rows)[0][0]), IntOf((*rows)[0][1])};
}

absl::StatusOr<std::vector<RoomId>> PostgresReader::ListRetained(const RoomId& after,
                                                                 int32_t limit) {
  return RoomIdsOf(connection_->Query("list_retained", after.value, Limit(limit)));
}

absl::StatusOr<Retention> PostgresReader::ReadRetention(const RoomId& room) {
  const auto rows = connection_->Query("read_retention", room.value);
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return NoSuchRoom();
  return Retention{absl::Microseconds(IntOf((*rows)[0][0])), IntOf((*rows)[0][1])};
}

absl::StatusOr<std::vector<RoomId>> PostgresReader::ListRoomsEver(const UserId& user,
                                                                  const RoomId& after,
                                                                  int32_t limit) {
  return RoomIdsOf(connection_->Query("list_rooms_ever", user.value, after.value, Limit(limit)));
}

absl::StatusOr<std::vector<MemberRecord>> PostgresReader::ListMembers(const RoomId& id,
                                                                      MemberFilter filter,
                                                                      const UserId& after,
                                                                      int32_t limit) {
  const auto rows = filter == MemberFilter::kBanned
                        ? connection_->Query("list_banned", id.value, after.value, Limit(limit),
                                             absl::ToUnixMicros(absl::Now()))
                        : connection_->Query("list_members", id.value, after.value, Limit(limit));
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return NoSuchRoom();
  std::vector<MemberRecord> members;
  for (const pqxx::row& row : *rows) {
    if (!row[0].is_null()) members.push_back(MemberOf(row, 0));
  }
  return members;
}

absl::StatusOr<std::vector<AuditRecord>> PostgresReader::ListAudit(const AuditQuery& query) {
  return ListAuditRecords(*connection_, query);
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

absl::StatusOr<InboxOutcome> PostgresReader::FindInboxKey(const UserId& user,
                                                          const std::string& key,
                                                          absl::Time since) {
  return FindPostgresInboxKey(*connection_, user, key, since);
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
