// postgres_reader.h: what Store reads, on one session; every method is one statement.
// Owns: its connection.   Used by: postgres_store, which pools them.
// Threads: caller serialises.
// Fails: as store.h says; once is_broken() it must be thrown away.
#pragma once

#include <memory>
#include <vector>

#include <absl/status/statusor.h>

#include "storage/feed.h"
#include "storage/inbox.h"
#include "storage/postgres/postgres_connection.h"
#include "storage/read_pointer.h"
#include "storage/records.h"
#include "storage/upkeep.h"

namespace confab::storage {

class PostgresReader {
 public:
  static absl::StatusOr<std::unique_ptr<PostgresReader>> Open(const PostgresTarget& target,
                                                              Watchdog& watchdog);

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

  bool is_broken() const { return connection_->is_broken(); }
  bool has_timed_out() const { return connection_->has_timed_out(); }

 private:
  explicit PostgresReader(std::unique_ptr<PostgresConnection> connection)
      : connection_(std::move(connection)) {}
  std::unique_ptr<PostgresConnection> connection_;
};

}  // namespace confab::storage
