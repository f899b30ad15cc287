#include "storage/sqlite/sqlite_reader.h"

#include <algorithm>
#include <utility>

#include <absl/time/clock.h>

#include "storage/log_page.h"
#include "storage/restriction.h"
#include "storage/text_list.h"

namespace confab::storage {
namespace {

// As RoomOf and MemberOf read them.
#define CONFAB_ROOM_COLUMNS                                                            \
  "r.id, r.topic, r.is_public, r.last_seq, r.member_seq, r.created_at, r.is_archived," \
  " r.is_read_only, r.slow_mode_s, r.metadata"
#define CONFAB_MEMBER_COLUMNS "user_id, role, changed_seq, changed_at, banned_until, muted_until"
constexpr std::string_view kRoom =
    "SELECT " CONFAB_ROOM_COLUMNS ", r.first_seq FROM rooms r WHERE r.id = ?1 AND r.state = 0";
constexpr std::string_view kPair =
    "SELECT " CONFAB_MEMBER_COLUMNS " FROM members WHERE room_id = ?1 AND user_id = ?2";
// Rows below the first that is kept are stubs of what retention has removed; the bounds keep a page
// from walking over them, which takes one lower bound: of two SQLite makes a filter of the second.
// An edit's own row is empty: it shows what its message says now.
#define CONFAB_EVENT_PAGE(bounds, direction)                                                  \
  "SELECT e.seq, e.created_at, e.kind, e.actor_id, e.actor_name, e.actor_email, e.dedup_key," \
  " e.message_id, e.type, coalesce(o.content, e.content), e.reply_to, e.subject, e.role,"     \
  " coalesce(o.body, e.body), coalesce(o.mentions, e.mentions), e.target_seq, e.edited_seq,"  \
  " e.deleted_seq "                                                                           \
  "FROM events e LEFT JOIN events o"                                                          \
  " ON e.kind = 2 AND o.room_id = e.room_id AND o.seq = e.target_seq "                        \
  "WHERE e.room_id = ?1 AND " bounds " ORDER BY e.seq " direction " LIMIT ?3"
constexpr std::string_view kEventsForward = CONFAB_EVENT_PAGE("e.seq > ?2", "ASC");
constexpr std::string_view kEventsBackward =
    CONFAB_EVENT_PAGE("e.seq < ?2 AND e.seq >= ?4", "DESC");
#undef CONFAB_EVENT_PAGE
constexpr std::string_view kTimeOf =
    "SELECT created_at FROM events WHERE room_id = ?1 AND seq = ?2";
constexpr std::string_view kRooms = "SELECT " CONFAB_ROOM_COLUMNS
                                    " FROM rooms r "
                                    "WHERE r.id > ?1 AND r.state = 0 ORDER BY r.id LIMIT ?2";
constexpr std::string_view kRoomsOfMember =
    "SELECT " CONFAB_ROOM_COLUMNS
    " FROM members m JOIN rooms r ON r.id = m.room_id "
    "WHERE m.user_id = ?1 AND m.room_id > ?2 AND m.role > 0 AND r.state = 0 "
    "ORDER BY m.room_id LIMIT ?3";
// Unread: messages behind the pointer that are kept, but for those deleted. Stubs count as gone.
constexpr std::string_view kMemberships =
    "SELECT " CONFAB_ROOM_COLUMNS
    ", m.role, coalesce(p.seq, 0),"
    " r.ordinal - max(coalesce(p.ordinal, 0), r.gone_ordinal) -"
    " (SELECT count(*) FROM events d WHERE d.room_id = r.id AND d.deleted_seq > 0"
    "  AND d.seq > coalesce(p.seq, 0) AND d.seq >= r.first_seq) "
    "FROM members m JOIN rooms r ON r.id = m.room_id"
    " LEFT JOIN read_pointers p ON p.room_id = m.room_id AND p.user_id = m.user_id "
    "WHERE m.user_id = ?1 AND m.room_id > ?2 AND m.role > 0 AND r.state = 0 "
    "ORDER BY m.room_id LIMIT ?3";
constexpr std::string_view kPositionAt =
    "SELECT min(r.last_seq, ?2), r.ordinal - max(r.gone_ordinal, coalesce("
    "  (SELECT e.ordinal FROM events e WHERE e.room_id = r.id AND e.seq = min(r.last_seq, ?2)), 0))"
    " - (SELECT count(*) FROM events d WHERE d.room_id = r.id AND d.deleted_seq > 0"
    "    AND d.seq > ?2 AND d.seq >= r.first_seq) "
    "FROM rooms r WHERE r.id = ?1 AND r.state = 0";
constexpr std::string_view kRetained =
    "SELECT id FROM rooms WHERE (retain_micros > 0 OR retain_messages > 0) AND state = 0"
    " AND id > ?1 ORDER BY id LIMIT ?2";
constexpr std::string_view kRetention =
    "SELECT retain_micros, retain_messages FROM rooms WHERE id = ?1 AND state = 0";
// Two halves, each by its own index.
constexpr std::string_view kRoomsEver =
    "SELECT room_id FROM members WHERE user_id = ?1 AND room_id > ?2 AND role > 0 "
    "UNION SELECT room_id FROM members WHERE user_id = ?1 AND room_id > ?2 AND role = 0 "
    "ORDER BY room_id LIMIT ?3";
constexpr std::string_view kMembers =
    "SELECT " CONFAB_MEMBER_COLUMNS
    " FROM members "
    "WHERE room_id = ?1 AND user_id > ?2 AND role > 0 ORDER BY user_id LIMIT ?3";
constexpr std::string_view kBanned =
    "SELECT " CONFAB_MEMBER_COLUMNS
    " FROM members INDEXED BY members_banned WHERE room_id = ?1 AND user_id > ?2"
    " AND banned_until > 0 AND banned_until > ?4 ORDER BY user_id LIMIT ?3";
#undef CONFAB_ROOM_COLUMNS
#undef CONFAB_MEMBER_COLUMNS
constexpr std::string_view kMemberCount =
    "SELECT count(*) FROM members WHERE room_id = ?1 AND role > 0";

constexpr int kRoomColumns = 10;

RoomRecord RoomOf(const SqliteStatement& row) {
  RoomRecord room;
  room.id = RoomId(row.Text(0));
  room.topic = row.Text(1);
  room.is_public = row.Int(2) != 0;
  room.last_seq = row.Int(3);
  room.member_seq = row.Int(4);
  room.created_at = absl::FromUnixMicros(row.Int(5));
  room.is_archived = row.Int(6) != 0;
  room.is_read_only = row.Int(7) != 0;
  room.slow_mode_seconds = static_cast<int32_t>(row.Int(8));
  room.metadata = DecodeTextMap(row.Text(9)).value_or(TextMap{});
  return room;
}

MemberRecord MemberOf(const SqliteStatement& row) {
  return {UserId(row.Text(0)),
          static_cast<Role>(row.Int(1)),
          row.Int(2),
          absl::FromUnixMicros(row.Int(3)),
          RestrictionEnd(row.Int(4)),
          RestrictionEnd(row.Int(5))};
}

EventRecord EventOf(const SqliteStatement& row, const RoomId& room) {
  EventRecord record;
  record.room = room;
  record.seq = row.Int(0);
  record.created_at = absl::FromUnixMicros(row.Int(1));
  NewEvent& event = record.event;
  event.kind = static_cast<EventKind>(row.Int(2));
  event.actor = {UserId(row.Text(3)), row.Text(4), row.Text(5)};
  const std::string key = row.Text(6);
  if (!key.empty()) event.dedup = {static_cast<DedupKey::Space>(key[0]), key.substr(1)};
  event.message_id = row.Text(7);
  event.type = row.Text(8);
  event.content = row.Text(9);
  event.reply_to = row.Text(10);
  event.subject = UserId(row.Text(11));
  event.role = static_cast<Role>(row.Int(12));
  event.body = row.Text(13);
  event.mentions = DecodeUsers(row.Text(14));
  event.target_seq = row.Int(15);
  record.marks = {row.Int(16), row.Int(17) > 0};
  return record;
}

// Every row of a bound statement.
template <typename Record, typename Convert>
absl::StatusOr<std::vector<Record>> Collect(SqliteStatement& statement, Convert convert) {
  std::vector<Record> records;
  while (true) {
    const auto has_row = statement.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) return records;
    records.push_back(convert(statement));
  }
}

// SQLite takes a negative LIMIT for none.
int64_t Limit(int32_t limit) { return std::max(limit, 0); }

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteReader>> SqliteReader::Open(const std::string& path,
                                                                 absl::Duration statement_timeout) {
  auto connection = SqliteConnection::Open(path, true);
  if (!connection.ok()) return connection.status();
  std::unique_ptr<SqliteReader> reader(new SqliteReader(*std::move(connection), statement_timeout));
  if (auto status = reader->PrepareAll(); !status.ok()) return status;
  return reader;
}

SqliteReader::SqliteReader(std::unique_ptr<SqliteConnection> connection,
                           absl::Duration statement_timeout)
    : connection_(std::move(connection)), statement_timeout_(statement_timeout) {}

absl::Status SqliteReader::PrepareAll() {
  const std::pair<SqliteStatement*, std::string_view> statements[] = {
      {&room_, kRoom},
      {&pair_, kPair},
      {&events_forward_, kEventsForward},
      {&events_backward_, kEventsBackward},
      {&time_of_, kTimeOf},
      {&rooms_, kRooms},
      {&rooms_of_member_, kRoomsOfMember},
      {&memberships_, kMemberships},
      {&position_at_, kPositionAt},
      {&retained_, kRetained},
      {&retention_, kRetention},
      {&rooms_ever_, kRoomsEver},
      {&members_, kMembers},
      {&banned_, kBanned},
      {&member_count_, kMemberCount},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = connection_->Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  if (auto status = feed_.Prepare(*connection_); !status.ok()) return status;
  if (auto status = inboxes_.Prepare(*connection_); !status.ok()) return status;
  return audit_.Prepare(*connection_);
}

void SqliteReader::ArmDeadline() {
  connection_->SetDeadline(std::chrono::steady_clock::now() +
                           absl::ToChronoNanoseconds(statement_timeout_));
}

absl::StatusOr<RoomRecord> SqliteReader::FindRoom(const RoomId& id, int64_t* first_seq) {
  room_.Bind(id.value);
  const auto has_row = room_.Step();
  if (!has_row.ok()) return has_row.status();
  if (!*has_row) return absl::NotFoundError("no such room");
  RoomRecord room = RoomOf(room_);
  if (first_seq != nullptr) *first_seq = room_.Int(kRoomColumns);
  room_.Reset();
  return room;
}

absl::StatusOr<RoomSnapshot> SqliteReader::ReadRoom(const RoomId& id,
                                                    absl::Span<const UserId> users) {
  ArmDeadline();
  SqliteTransaction snapshot(*connection_);
  if (auto status = snapshot.Begin("BEGIN"); !status.ok()) return status;
  auto room = FindRoom(id);
  if (!room.ok()) return room.status();
  RoomSnapshot result{*std::move(room), {}};
  result.members.reserve(users.size());
  for (const UserId& user : users) {
    pair_.Bind(id.value, user.value);
    const auto has_row = pair_.Step();
    if (!has_row.ok()) return has_row.status();
    result.members.push_back(*has_row ? MemberOf(pair_) : MemberRecord{user});
    pair_.Reset();
  }
  return result;
}

// The log's times never run against seq, so it is halved until the place is found.
absl::StatusOr<int64_t> SqliteReader::FindSeq(const RoomId& room, const LogBounds& log,
                                              absl::Time time) {
  int64_t low = log.first_seq;
  int64_t high = log.last_seq + 1;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    time_of_.Bind(room.value, middle);
    const auto has_row = time_of_.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) return absl::InternalError("the log has a hole");
    if (absl::FromUnixMicros(time_of_.Int(0)) < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
    time_of_.Reset();
  }
  return low;
}

absl::StatusOr<EventPage> SqliteReader::ReadEvents(const EventQuery& asked) {
  ArmDeadline();
  SqliteTransaction snapshot(*connection_);
  if (auto status = snapshot.Begin("BEGIN"); !status.ok()) return status;
  LogBounds log;
  const auto room = FindRoom(asked.room, &log.first_seq);
  if (!room.ok()) return room.status();
  log.last_seq = room->last_seq;
  EventQuery query = asked;
  if (const absl::Time* time = TimeBound(asked)) {
    const auto seq = FindSeq(asked.room, log, *time);
    if (!seq.ok()) return seq.status();
    query = BoundBySeq(asked, *seq);
  }
  EventPage page;
  page.last_seq = room->last_seq;
  page.member_seq = room->member_seq;

  SqliteStatement& rows = IsForward(query) ? events_forward_ : events_backward_;
  if (IsForward(query)) {
    rows.Bind(query.room.value, std::max(query.after_seq, log.first_seq - 1), Limit(query.limit));
  } else {
    rows.Bind(query.room.value, BackwardBound(query, log.last_seq), Limit(query.limit),
              log.first_seq);
  }
  size_t bytes = 0;
  while (true) {
    const auto has_row = rows.Step();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) break;
    EventRecord event = EventOf(rows, query.room);
    bytes += rows.Bytes(9) + rows.Bytes(13) + rows.Bytes(14);  // Content, body, mentions.
    if (!page.events.empty() && bytes > static_cast<size_t>(std::max(query.bytes_limit, 0))) {
      rows.Reset();
      break;
    }
    page.events.push_back(std::move(event));
  }
  if (!IsForward(query)) std::reverse(page.events.begin(), page.events.end());
  page.more = HasMore(query, page, log);
  return page;
}

absl::StatusOr<std::vector<RoomRecord>> SqliteReader::ListRooms(const RoomId& after,
                                                                const UserId& member,
                                                                int32_t limit) {
  ArmDeadline();
  if (member.empty()) {
    rooms_.Bind(after.value, Limit(limit));
    return Collect<RoomRecord>(rooms_, RoomOf);
  }
  rooms_of_member_.Bind(member.value, after.value, Limit(limit));
  return Collect<RoomRecord>(rooms_of_member_, RoomOf);
}

absl::StatusOr<std::vector<MembershipRecord>> SqliteReader::ListMemberships(const UserId& user,
                                                                            const RoomId& after,
                                                                            int32_t limit) {
  ArmDeadline();
  memberships_.Bind(user.value, after.value, Limit(limit));
  return Collect<MembershipRecord>(memberships_, [](const SqliteStatement& row) {
    return MembershipRecord{
        RoomOf(row), static_cast<Role>(row.Int(10)), {row.Int(11), row.Int(12)}};
  });
}

absl::StatusOr<ReadPosition> SqliteReader::ReadPositionAt(const RoomId& room, int64_t seq) {
  ArmDeadline();
  position_at_.Bind(room.value, seq);
  const auto has_row = position_at_.Step();
  if (!has_row.ok()) return has_row.status();
  if (!*has_row) return absl::NotFoundError("no such room");
  const ReadPosition position{position_at_.Int(0), position_at_.Int(1)};
  position_at_.Reset();
  return position;
}

absl::StatusOr<std::vector<RoomId>> SqliteReader::ListRetained(const RoomId& after, int32_t limit) {
  ArmDeadline();
  retained_.Bind(after.value, Limit(limit));
  return Collect<RoomId>(retained_, [](const SqliteStatement& row) { return RoomId(row.Text(0)); });
}

absl::StatusOr<Retention> SqliteReader::ReadRetention(const RoomId& room) {
  ArmDeadline();
  retention_.Bind(room.value);
  const auto has_row = retention_.Step();
  if (!has_row.ok()) return has_row.status();
  if (!*has_row) return absl::NotFoundError("no such room");
  const Retention retention{absl::Microseconds(retention_.Int(0)), retention_.Int(1)};
  retention_.Reset();
  return retention;
}

absl::StatusOr<std::vector<RoomId>> SqliteReader::ListRoomsEver(const UserId& user,
                                                                const RoomId& after,
                                                                int32_t limit) {
  ArmDeadline();
  rooms_ever_.Bind(user.value, after.value, Limit(limit));
  return Collect<RoomId>(rooms_ever_,
                         [](const SqliteStatement& row) { return RoomId(row.Text(0)); });
}

absl::StatusOr<std::vector<MemberRecord>> SqliteReader::ListMembers(const RoomId& id,
                                                                    MemberFilter filter,
                                                                    const UserId& after,
                                                                    int32_t limit) {
  ArmDeadline();
  SqliteTransaction snapshot(*connection_);
  if (auto status = snapshot.Begin("BEGIN"); !status.ok()) return status;
  if (const auto room = FindRoom(id); !room.ok()) return room.status();
  if (filter == MemberFilter::kBanned) {
    banned_.Bind(id.value, after.value, Limit(limit), absl::ToUnixMicros(absl::Now()));
    return Collect<MemberRecord>(banned_, MemberOf);
  }
  members_.Bind(id.value, after.value, Limit(limit));
  return Collect<MemberRecord>(members_, MemberOf);
}

absl::StatusOr<std::vector<AuditRecord>> SqliteReader::ListAudit(const AuditQuery& query) {
  ArmDeadline();
  return audit_.List(query);
}

absl::StatusOr<int64_t> SqliteReader::CountMembers(const RoomId& id) {
  ArmDeadline();
  SqliteTransaction snapshot(*connection_);
  if (auto status = snapshot.Begin("BEGIN"); !status.ok()) return status;
  if (const auto room = FindRoom(id); !room.ok()) return room.status();
  member_count_.Bind(id.value);
  const auto has_row = member_count_.Step();
  if (!has_row.ok()) return has_row.status();
  const int64_t count = member_count_.Int(0);
  member_count_.Reset();
  return count;
}

absl::StatusOr<std::vector<InboxHead>> SqliteReader::ReadInboxHeads(
    absl::Span<const UserId> users) {
  ArmDeadline();
  return inboxes_.ReadHeads(users);
}

absl::StatusOr<InboxOutcome> SqliteReader::FindInboxKey(const UserId& user, const std::string& key,
                                                        absl::Time since) {
  ArmDeadline();
  return inboxes_.FindKey(user, key, since);
}

absl::StatusOr<InboxPage> SqliteReader::ReadInbox(const InboxQuery& query) {
  ArmDeadline();
  SqliteTransaction snapshot(*connection_);
  if (auto status = snapshot.Begin("BEGIN"); !status.ok()) return status;
  return inboxes_.Read(query);
}

absl::StatusOr<FeedPage> SqliteReader::ReadFeed(const FeedPosition& after, int32_t limit) {
  ArmDeadline();
  return feed_.Read(after, limit);
}

absl::StatusOr<FeedPosition> SqliteReader::ReadFeedEnd() {
  ArmDeadline();
  return feed_.ReadEnd();
}

absl::StatusOr<std::vector<FeedCursor>> SqliteReader::ListFeedCursors() {
  ArmDeadline();
  return feed_.ListCursors();
}

absl::Status SqliteReader::Ping() {
  ArmDeadline();
  return connection_->ReadOne("SELECT count(*) FROM rooms WHERE id = ''").status();
}

}  // namespace confab::storage
