#include "storage/postgres/postgres_store.h"

#include <utility>

#include "storage/postgres/postgres_feed.h"
#include "storage/postgres/postgres_schema.h"
#include "storage/postgres/postgres_writer.h"
#include "storage/record_check.h"

namespace confab::storage {
namespace {

const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresStore>> PostgresStore::Open(std::string_view url,
                                                                   const StoreOptions& options) {
  auto target = PostgresTargetOf(url, options);
  if (!target.ok()) return target.status();
  std::unique_ptr<PostgresStore> store(new PostgresStore(*std::move(target), options));
  auto connection = PostgresConnection::Open(store->target_, store->watchdog_);
  if (!connection.ok()) return connection.status();
  auto status = CheckServer(**connection, options.allow_unsafe_durability);
  if (!status.ok()) return status;
  if (status = CheckPostgresVersion(**connection); !status.ok()) return status;
  if (status = CheckPostgresFeed(**connection); !status.ok()) return status;
  return store;
}

absl::StatusOr<SchemaState> PostgresStore::ReadSchema(std::string_view url,
                                                      const StoreOptions& options) {
  const auto target = PostgresTargetOf(url, options);
  if (!target.ok()) return target.status();
  Watchdog watchdog;
  const auto connection = PostgresConnection::Open(*target, watchdog);
  if (!connection.ok()) return connection.status();
  const auto version = ReadPostgresVersion(**connection);
  if (!version.ok()) return version.status();
  return StateOf(PostgresMigrations(), *version);
}

PostgresStore::PostgresStore(PostgresTarget target, const StoreOptions& options)
    : target_(std::move(target)),
      active_lock_(target_, watchdog_),
      readers_(options.reader_connections, options.acquire_timeout,
               [this] { return PostgresReader::Open(target_, watchdog_); }) {}

template <typename Read>
auto PostgresStore::WithReader(Read read) -> decltype(read(std::declval<PostgresReader&>())) {
  for (bool is_second = false;; is_second = true) {
    auto reader = readers_.Acquire();
    if (!reader.ok()) return reader.status();
    auto result = read(**reader);
    if (!(*reader)->is_broken()) return result;
    const bool has_timed_out = (*reader)->has_timed_out();
    reader->Discard();
    readers_.DropAll();  // What broke one has most likely broken all.
    if (is_second || has_timed_out || !absl::IsUnavailable(StatusOf(result))) return result;
  }
}

absl::StatusOr<bool> PostgresStore::TryBecomeActive() { return active_lock_.TryAcquire(); }

absl::StatusOr<bool> PostgresStore::IsActive() { return active_lock_.IsHeld(); }

absl::StatusOr<std::unique_ptr<StoreWriter>> PostgresStore::OpenWriter() {
  auto writer = PostgresWriter::Open(target_, watchdog_, active_lock_);
  if (!writer.ok()) return writer.status();
  return *std::move(writer);
}

absl::StatusOr<RoomSnapshot> PostgresStore::ReadRoom(const RoomId& room,
                                                     absl::Span<const UserId> users) {
  return WithReader([&](PostgresReader& reader) { return reader.ReadRoom(room, users); });
}

absl::StatusOr<EventPage> PostgresStore::ReadEvents(const EventQuery& query) {
  return WithReader([&](PostgresReader& reader) { return reader.ReadEvents(query); });
}

absl::StatusOr<std::vector<RoomRecord>> PostgresStore::ListRooms(const RoomId& after,
                                                                 const UserId& member,
                                                                 int32_t limit) {
  return WithReader([&](PostgresReader& reader) { return reader.ListRooms(after, member, limit); });
}

absl::StatusOr<std::vector<MembershipRecord>> PostgresStore::ListMemberships(const UserId& user,
                                                                             const RoomId& after,
                                                                             int32_t limit) {
  return WithReader(
      [&](PostgresReader& reader) { return reader.ListMemberships(user, after, limit); });
}

absl::StatusOr<ReadPosition> PostgresStore::ReadPositionAt(const RoomId& room, int64_t seq) {
  return WithReader([&](PostgresReader& reader) { return reader.ReadPositionAt(room, seq); });
}

absl::StatusOr<std::vector<RoomId>> PostgresStore::ListRetained(const RoomId& after,
                                                                int32_t limit) {
  return WithReader([&](PostgresReader& reader) { return reader.ListRetained(after, limit); });
}

absl::StatusOr<Retention> PostgresStore::ReadRetention(const RoomId& room) {
  return WithReader([&](PostgresReader& reader) { return reader.ReadRetention(room); });
}

absl::StatusOr<std::vector<RoomId>> PostgresStore::ListRoomsEver(const UserId& user,
                                                                 const RoomId& after,
                                                                 int32_t limit) {
  return WithReader(
      [&](PostgresReader& reader) { return reader.ListRoomsEver(user, after, limit); });
}

absl::StatusOr<std::vector<MemberRecord>> PostgresStore::ListMembers(const RoomId& room,
                                                                     MemberFilter filter,
                                                                     const UserId& after,
                                                                     int32_t limit) {
  return WithReader(
      [&](PostgresReader& reader) { return reader.ListMembers(room, filter, after, limit); });
}

absl::StatusOr<std::vector<AuditRecord>> PostgresStore::ListAudit(const AuditQuery& query) {
  return WithReader([&](PostgresReader& reader) { return reader.ListAudit(query); });
}

absl::StatusOr<int64_t> PostgresStore::CountMembers(const RoomId& room) {
  return WithReader([&](PostgresReader& reader) { return reader.CountMembers(room); });
}

absl::StatusOr<std::vector<InboxHead>> PostgresStore::ReadInboxHeads(
    absl::Span<const UserId> users) {
  return WithReader([&](PostgresReader& reader) { return reader.ReadInboxHeads(users); });
}

absl::StatusOr<InboxOutcome> PostgresStore::FindInboxKey(const UserId& user, const std::string& key,
                                                         absl::Time since) {
  return WithReader([&](PostgresReader& reader) { return reader.FindInboxKey(user, key, since); });
}

absl::StatusOr<InboxPage> PostgresStore::ReadInbox(const InboxQuery& query) {
  return WithReader([&](PostgresReader& reader) { return reader.ReadInbox(query); });
}

absl::StatusOr<FeedPage> PostgresStore::ReadFeed(const FeedPosition& after, int32_t limit) {
  return WithReader([&](PostgresReader& reader) { return reader.ReadFeed(after, limit); });
}

absl::StatusOr<FeedPosition> PostgresStore::ReadFeedEnd() {
  return WithReader([](PostgresReader& reader) { return reader.ReadFeedEnd(); });
}

absl::StatusOr<std::vector<FeedCursor>> PostgresStore::ListFeedCursors() {
  return WithReader([](PostgresReader& reader) { return reader.ListFeedCursors(); });
}

absl::Status PostgresStore::Ping() {
  return WithReader([](PostgresReader& reader) { return reader.Ping(); });
}

}  // namespace confab::storage
