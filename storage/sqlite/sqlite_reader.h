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

#include "storage/records.h"
#include "storage/sqlite/sqlite_audit.h"
#include "storage/sqlite/sqlite_connection.h"
#include "storage/sqlite/sqlite_feed.h"
#include "storage/sqlite/sqlite_inbox.h"

namespace confab::storage {

class SqliteReader {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteReader>> Open(const std::string& path,
                                                            absl::Duration statement_timeout);

  absl::StatusOr<RoomSnapshot> ReadRoom(const RoomId& room, absl::Span<const UserId> users);
  absl::StatusOr<EventPage> ReadEvents(const EventQuery& query);
  absl::StatusOr<std::vector<RoomRecord>> ListRooms(const RoomId& after, const UserId& member,
                                                    int32_t limit);
  absl::StatusOr<std::vector<MemberRecord>> ListMembers(const RoomId& room, MemberFilter filter,
                                                        const UserId& after, int32_t limit);
  absl::StatusOr<int64_t> CountMembers(const RoomId& room);
  absl::StatusOr<std::vector<InboxHead>> ReadInboxHeads(absl::Span<const UserId> users);
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

  std::unique_ptr<SqliteConnection> connection_;
  const absl::Duration statement_timeout_;
  SqliteStatement room_;
  SqliteStatement pair_;
  SqliteStatement events_forward_;
  SqliteStatement events_backward_;
  SqliteStatement rooms_;
  SqliteStatement rooms_of_member_;
  SqliteStatement members_;
  SqliteStatement banned_;
  SqliteStatement member_count_;
  SqliteInboxReader inboxes_;
  SqliteFeedReader feed_;
  SqliteAuditReader audit_;
};

}  // namespace confab::storage
