#include "storage/sqlite/sqlite_store.h"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "storage/record_check.h"
#include "storage/sqlite/sqlite_schema.h"
#include "storage/sqlite/sqlite_writer.h"

namespace confab::storage {
namespace {

// The file is made here so that only its owner can read what people wrote; SQLite gives the WAL
// the same mode.
absl::Status MakeFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return absl::FailedPreconditionError(
        fmt::format("cannot open {}: {}", path, std::generic_category().message(errno)));
  }
  close(descriptor);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path,
                                                               const StoreOptions& options) {
  if (auto status = MakeFile(path); !status.ok()) return status;
  if (auto status = CheckSqliteVersion(path); !status.ok()) return status;
  return std::unique_ptr<SqliteStore>(new SqliteStore(path, options));
}

absl::StatusOr<SchemaState> SqliteStore::ReadSchema(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) {
    return absl::NotFoundError(fmt::format("{}: {}", path, std::generic_category().message(errno)));
  }
  const auto version = ReadSqliteVersion(path);
  if (!version.ok()) return version.status();
  return StateOf(SqliteMigrations(), *version);
}

SqliteStore::SqliteStore(std::string path, const StoreOptions& options)
    : path_(std::move(path)),
      readers_(options.reader_connections, options.acquire_timeout,
               [this, timeout = options.statement_timeout] {
                 return SqliteReader::Open(path_, timeout);
               }) {}

absl::StatusOr<bool> SqliteStore::TryBecomeActive() {
  const process::MutexLock lock(mu_);
  if (lock_ && lock_->IsHeld()) return true;
  lock_.reset();
  auto acquired = FileLock::TryAcquire(path_ + ".lock");
  if (!acquired.ok()) return acquired.status();
  if (!*acquired) return false;
  // Not before: a program that is still active would go on writing as its own schema says.
  if (auto status = MigrateSqlite(path_, SqliteMigrations()); !status.ok()) return status;
  lock_.emplace(std::move(**acquired));
  return true;
}

absl::StatusOr<bool> SqliteStore::IsActive() {
  const process::MutexLock lock(mu_);
  return lock_ && lock_->IsHeld();
}

absl::StatusOr<std::unique_ptr<StoreWriter>> SqliteStore::OpenWriter() {
  if (!*IsActive()) {
    return absl::FailedPreconditionError(
        fmt::format("another process holds {}.lock and is active on this file", path_));
  }
  auto writer = SqliteWriter::Open(path_);
  if (!writer.ok()) return writer.status();
  return *std::move(writer);
}

absl::StatusOr<RoomSnapshot> SqliteStore::ReadRoom(const RoomId& room,
                                                   absl::Span<const UserId> users) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ReadRoom(room, users);
}

absl::StatusOr<EventPage> SqliteStore::ReadEvents(const EventQuery& query) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ReadEvents(query);
}

absl::StatusOr<std::vector<RoomRecord>> SqliteStore::ListRooms(const RoomId& after,
                                                               const UserId& member,
                                                               int32_t limit) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ListRooms(after, member, limit);
}

absl::StatusOr<std::vector<MembershipRecord>> SqliteStore::ListMemberships(const UserId& user,
                                                                           const RoomId& after,
                                                                           int32_t limit) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ListMemberships(user, after, limit);
}

absl::StatusOr<ReadPosition> SqliteStore::ReadPositionAt(const RoomId& room, int64_t seq) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ReadPositionAt(room, seq);
}

absl::StatusOr<std::vector<RoomId>> SqliteStore::ListRetained(const RoomId& after, int32_t limit) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ListRetained(after, limit);
}

absl::StatusOr<Retention> SqliteStore::ReadRetention(const RoomId& room) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ReadRetention(room);
}

absl::StatusOr<std::vector<RoomId>> SqliteStore::ListRoomsEver(const UserId& user,
                                                               const RoomId& after, int32_t limit) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ListRoomsEver(user, after, limit);
}

absl::StatusOr<std::vector<MemberRecord>> SqliteStore::ListMembers(const RoomId& room,
                                                                   MemberFilter filter,
                                                                   const UserId& after,
                                                                   int32_t limit) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ListMembers(room, filter, after, limit);
}

absl::StatusOr<std::vector<AuditRecord>> SqliteStore::ListAudit(const AuditQuery& query) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ListAudit(query);
}

absl::StatusOr<int64_t> SqliteStore::CountMembers(const RoomId& room) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->CountMembers(room);
}

absl::StatusOr<std::vector<InboxHead>> SqliteStore::ReadInboxHeads(absl::Span<const UserId> users) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ReadInboxHeads(users);
}

absl::StatusOr<InboxOutcome> SqliteStore::FindInboxKey(const UserId& user, const std::string& key,
                                                       absl::Time since) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->FindInboxKey(user, key, since);
}

absl::StatusOr<InboxPage> SqliteStore::ReadInbox(const InboxQuery& query) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ReadInbox(query);
}

absl::StatusOr<FeedPage> SqliteStore::ReadFeed(const FeedPosition& after, int32_t limit) {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ReadFeed(after, limit);
}

absl::StatusOr<FeedPosition> SqliteStore::ReadFeedEnd() {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ReadFeedEnd();
}

absl::StatusOr<std::vector<FeedCursor>> SqliteStore::ListFeedCursors() {
  const auto reader = readers_.Acquire();
  if (!reader.ok()) return reader.status();
  return (*reader)->ListFeedCursors();
}

absl::Status SqliteStore::Ping() {
  const auto reader = readers_.Acquire();
  return reader.ok() ? (*reader)->Ping() : reader.status();
}

}  // namespace confab::storage
