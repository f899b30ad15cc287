// failing_store.h: wraps any store and makes chosen calls fail, lose their answer, or wait.
// Owns: the wrapped store.   Used by: tests of everything above storage.
// Threads: any thread (guarded by the script's mutex). Writers share the store's script.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/store.h"

namespace confab::storage {

enum class StoreCall {
  kTryBecomeActive,
  kIsActive,
  kOpenWriter,
  kAppend,
  kCreateRoom,
  kDeleteRoom,
  kMovePointers,
  kRepairPointers,
  kSetRetention,
  kTrim,
  kErase,
  kReadRoom,
  kReadEvents,
  kReadEventsAnswer,  // The page has been read, and is on its way back.
  kListRooms,
  kListMemberships,
  kReadPositionAt,
  kListRetained,
  kReadRetention,
  kListRoomsEver,
  kListMembers,
  kCountMembers,
  kWriteInboxes,
  kReadInboxHeads,
  kFindInboxKey,
  kReadInbox,
  kSetFeedCursor,
  kReadFeed,
  kWriteAudit,
  kListAudit,
  kPing,
};

class FailingStore : public Store {
 public:
  explicit FailingStore(std::unique_ptr<Store> store);
  ~FailingStore() override;

  // The nth call of that kind from now (1: the next) and `times - 1` after it answer `status`
  // without reaching the wrapped store.
  void Fail(StoreCall call, absl::Status status, int nth = 1, int times = 1);
  // All of them until Heal().
  void FailAlways(StoreCall call, absl::Status status);
  // The nth write of that kind from now is performed, and answers UNKNOWN.
  void LoseAnswer(StoreCall call = StoreCall::kAppend, int nth = 1);
  // Forgets every failure that was asked for.
  void Heal();

  // Calls of that kind wait until Unblock().
  void Block(StoreCall call);
  void Unblock(StoreCall call);
  // Returns once `count` calls of that kind wait; false if that takes more than 10 s.
  bool WaitUntilBlocked(StoreCall call, int count = 1);

  // IsActive() answers false from now on.
  void LoseLock();

  // How many calls of that kind came, failed ones included.
  int calls(StoreCall call) const;
  // How many events each Append brought, in order.
  std::vector<size_t> batch_sizes() const;

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
  class Script;
  class Writer;
  std::unique_ptr<Store> store_;
  std::shared_ptr<Script> script_;
};

}  // namespace confab::storage
