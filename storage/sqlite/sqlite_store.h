// sqlite_store.h: the Store of one SQLite file; the lock file PATH.lock says who is active.
// Owns: the lock and a pool of readers.   Used by: open_store.
// Threads: any thread (the lock guarded by mu_).
// Fails: as store.h says.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "process/mutex.h"
#include "storage/connection_pool.h"
#include "storage/open_store.h"
#include "storage/sqlite/file_lock.h"
#include "storage/sqlite/sqlite_reader.h"
#include "storage/store.h"

namespace confab::storage {

class SqliteStore : public Store {
 public:
  // Makes the file if there is none; who becomes active brings its schema up.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& path,
                                                           const StoreOptions& options);
  // Changes nothing.
  static absl::StatusOr<SchemaState> ReadSchema(const std::string& path);

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
  SqliteStore(std::string path, const StoreOptions& options);

  const std::string path_;
  ConnectionPool<SqliteReader> readers_;
  process::Mutex mu_;
  std::optional<FileLock> lock_ ABSL_GUARDED_BY(mu_);
};

}  // namespace confab::storage
