// sqlite_reader.h: what Store reads, on one connection; every method reads one snapshot.
// Owns: a read-only connection and its statements.   Used by: sqlite_store, which pools them.
// Threads: caller serialises.
// Fails: as store.h says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "storage/log_page.h"
#include "storage/read_pointer.h"
#include "storage/records.h"
#include "storage/sqlite/sqlite_audit.h"
#include "storage/sqlite/sqlite_connection.h"
#include "storage/sqlite/sqlite_feed.h"
#include "storage/sqlite/sqlite_inbox.h"
#include "storage/upkeep.h"

namespace confab::storage {

class SqliteReader {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteReader>> Open(const std::string& path,
                                                            absl::Duration statement_timeout);

  absl::StatusOr<RoomSnapshot> ReadRoom(const RoomId& room, absl::Span<const UserId> users);
  absl::StatusOr<EventPage> ReadEvents(const EventQuery& query);
  absl::StatusOr<std::vector<RoomRecord>> ListRooms(const RoomId& after, const UserId& member,
                                                    int32_t limit);
  absl::StatusOr<std::vector<MembershipRecord>> ListMemberships(const UserId& user,
                                                                const RoomId& after, int32_t limit);
  absl::StatusOr<ReadPosition> ReadPositionAt(const RoomId& room, int64_t seq);
  absl::StatusOr<std::vector<RoomId>> ListRetained(const RoomId& after, int32_t limit);
  absl::StatusOr<Retention> ReadRetention(const RoomId& room);
  absl::StatusOr<std::vector<RoomId>> ListRoomsEver(const UserId& user, const RoomId& after,
                                                    int32_t limit);
  absl::StatusOr<std::vector<MemberRecord>> ListMembers(const RoomId& room, MemberFilter filter,
                                                        const UserId& after, int32_t limit);
  absl::StatusOr<int64_t> CountMembers(const RoomId& room);
  absl::StatusOr<std::vector<InboxHead>> ReadInboxHeads(absl::Span<const UserId> users);
  absl::StatusOr<InboxOutcome> FindInboxKey(const UserId& user, const std::string& key,
                                            absl::Time since);
  absl::StatusOr<InboxPage> ReadInbox(const InboxQuery& query);
  absl::StatusOr<FeedPage> ReadFeed(const FeedPosition& after, int32_t limit);
  absl::StatusOr<FeedPosition> ReadFeedEnd();
  absl::StatusOr<std::vector<FeedCursor>> ListFeedCursors();
  absl::StatusOr<std::vector<AuditRecord>> ListAudit(const AuditQuery& query);
  absl::Status Ping();

 private:
  SqliteReader(std::unique_ptr<SqliteConnection> connection, absl::Duration statement_timeout);
  absl::Status PrepareAll();
  void ArmDeadline();
  // NOT_FOUND if there is none; with its first_seq.
  absl::StatusOr<RoomRecord> FindRoom(const RoomId& room, int64_t* first_seq = nullptr);
  // The first event of that time or later; the seq behind the newest if there is none.
  absl::StatusOr<int64_t> FindSeq(const RoomId& room, const LogBounds& log, absl::Time time);

  std::unique_ptr<SqliteConnection> connection_;
  const absl::Duration statement_timeout_;
  SqliteStatement room_;
  SqliteStatement pair_;
  SqliteStatement events_forward_;
  SqliteStatement events_backward_;
  SqliteStatement time_of_;
  SqliteStatement rooms_;
  SqliteStatement rooms_of_member_;
  SqliteStatement memberships_;
  SqliteStatement position_at_;
  SqliteStatement retained_;
  SqliteStatement retention_;
  SqliteStatement rooms_ever_;
  SqliteStatement members_;
  SqliteStatement banned_;
  SqliteStatement member_count_;
  SqliteInboxReader inboxes_;
  SqliteFeedReader feed_;
  SqliteAuditReader audit_;
};

}  // namespace confab::storage
