// postgres_store.h: the Store of one schema of a PostgreSQL database.
// Owns: the watchdog, the active lock and a pool of readers.   Used by: open_store.
// Threads: any thread. Writers end before the store does.
// Fails: as store.h says.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "storage/connection_pool.h"
#include "storage/open_store.h"
#include "storage/postgres/active_lock.h"
#include "storage/postgres/postgres_reader.h"
#include "storage/store.h"

namespace confab::storage {

class PostgresStore : public Store {
 public:
  // Checks the server and the schema's version; who becomes active brings the schema up.
  static absl::StatusOr<std::unique_ptr<PostgresStore>> Open(std::string_view url,
                                                             const StoreOptions& options);
  // Changes nothing.
  static absl::StatusOr<SchemaState> ReadSchema(std::string_view url, const StoreOptions& options);

  absl::StatusOr<bool> TryBecomeActive() override;
  absl::StatusOr<bool> IsActive() override;
  absl::StatusOr<std::unique_ptr<StoreWriter>> OpenWriter() override;
  absl::StatusOr<RoomSnapshot> ReadRoom(const RoomId& room,
                                        absl::Span<const UserId> users) override;
  absl::StatusOr<EventPage> ReadEvents(const EventQuery& query) override;
  absl::StatusOr<std::vector<RoomRecord>> ListRooms(const RoomId& after, const UserId& member,
                                                    int32_t limit) override;
  absl::StatusOr<std::vector<MembershipRecord>> ListMemberships(const UserId& user,
                                                                const RoomId& after,
                                                                int32_t limit) override;
  absl::StatusOr<ReadPosition> ReadPositionAt(const RoomId& room, int64_t seq) override;
  absl::StatusOr<std::vector<RoomId>> ListRetained(const RoomId& after, int32_t limit) override;
  absl::StatusOr<Retention> ReadRetention(const RoomId& room) override;
  absl::StatusOr<std::vector<RoomId>> ListRoomsEver(const UserId& user, const RoomId& after,
                                                    int32_t limit) override;
  absl::StatusOr<std::vector<MemberRecord>> ListMembers(const RoomId& room, MemberFilter filter,
                                                        const UserId& after,
                                                        int32_t limit) override;
  absl::StatusOr<int64_t> CountMembers(const RoomId& room) override;
  absl::StatusOr<std::vector<InboxHead>> ReadInboxHeads(absl::Span<const UserId> users) override;
  absl::StatusOr<InboxOutcome> FindInboxKey(const UserId& user, const std::string& key,
                                            absl::Time since) override;
  absl::StatusOr<InboxPage> ReadInbox(const InboxQuery& query) override;
  absl::StatusOr<FeedPage> ReadFeed(const FeedPosition& after, int32_t limit) override;
  absl::StatusOr<FeedPosition> ReadFeedEnd() override;
  absl::StatusOr<std::vector<FeedCursor>> ListFeedCursors() override;
  absl::StatusOr<std::vector<AuditRecord>> ListAudit(const AuditQuery& query) override;
  absl::Status Ping() override;

 private:
  PostgresStore(PostgresTarget target, const StoreOptions& options);
  // Lends a reader. One that turns out to have died while it was idle is replaced once.
  template <typename Read>
  auto WithReader(Read read) -> decltype(read(std::declval<PostgresReader&>()));

  const PostgresTarget target_;
  Watchdog watchdog_;
  ActiveLock active_lock_;
  ConnectionPool<PostgresReader> readers_;
};

}  // namespace confab::storage
