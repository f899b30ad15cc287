// memory_store.h: a Store in memory, held to the same contract test as the real ones.
// Owns: nothing but a share of its MemoryDatabase; two stores on one database act as two processes.
// Used by: tests.
// Threads: any thread (guarded by the database's mutex).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "storage/append_plan.h"
#include "storage/store.h"

namespace confab::storage {

class MemoryStore;

// What a database server would keep; outlives the stores opened on it.
class MemoryDatabase {
 private:
  friend class MemoryStore;
  friend class MemoryWriter;
  struct Room {
    RoomRecord record;
    absl::Time last_at = absl::UnixEpoch();
    bool is_deleted = false;
    std::vector<EventRecord> events;
    std::map<UserId, MemberRecord> members;
    std::map<std::tuple<std::string, char, std::string>, size_t> keys;  // -> index in events
    int64_t ordinal = 0;
    int64_t gone_ordinal = 0;
    int64_t first_seq = 1;
    std::map<UserId, int64_t> pointers;  // -> seq
    Retention retention;

    EventRecord* FindEvent(int64_t seq);
    const EventRecord* FindMessage(const std::string& message_id) const;
    LockedRoom Locked() const;
    // False: it was there or further already.
    bool MovePointer(const UserId& user, int64_t seq);
    ReadPosition PositionAt(int64_t seq) const;
    int64_t CountMembers() const;
    TrimStep Trim(absl::Time now, int32_t rows);
    EraseStep Erase(const UserId& user, int64_t after_seq, int32_t rows);
  };
  struct Inbox {
    InboxHead head;
    std::map<int64_t, NewNotification> entries;
    std::map<std::string, InboxOutcome> keys;
  };
  static std::tuple<std::string, char, std::string> KeyOf(const NewEvent& event);
  static void CopyContent(const NewEvent& from, NewEvent& to);
  Room* Find(const RoomId& id);
  std::vector<InboxOutcome> Write(absl::Span<const InboxWrite> batch);
  absl::Status Apply(const AppendPlan& plan);

  std::mutex mu_;
  void Record(absl::Span<const AuditRecord> records, absl::Time now);

  std::map<RoomId, Room> rooms_;
  std::map<UserId, Inbox> inboxes_;
  std::vector<FeedPosition> feed_;  // Of every event ever stored.
  std::map<std::string, FeedCursor> cursors_;
  std::vector<AuditRecord> audit_;  // By id.
  const MemoryStore* active_ = nullptr;
};

class MemoryStore : public Store {
 public:
  explicit MemoryStore(
      std::shared_ptr<MemoryDatabase> database = std::make_shared<MemoryDatabase>());
  ~MemoryStore() override;

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

  // The lock goes away as if the database had dropped it: not active, writers refuse.
  void LoseLockForTest();

 private:
  std::shared_ptr<MemoryDatabase> database_;
};

}  // namespace confab::storage
