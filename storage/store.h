// store.h: the one interface of persistence. The log is the truth; everything else is a cache.
// Implementations: sqlite/sqlite_store, postgres/postgres_store, tests/fakes/memory_store; all
// held to tests/contract/store_contract_test.
//
// Errors are canonical codes, whatever the backend:
//   UNAVAILABLE         the database cannot be reached or is too busy; nothing was changed
//   RESOURCE_EXHAUSTED  no connection was free in time, or the disk is full; nothing was changed
//   DEADLINE_EXCEEDED   a statement took longer than its limit; nothing was changed
//   UNKNOWN             the answer to a COMMIT was lost: run the same batch again
//   INVALID_ARGUMENT    the data was refused (a culprit is in the batch); nothing was changed
//   FAILED_PRECONDITION this process is not the active one, or the schema is too new
//   NOT_FOUND, ALREADY_EXISTS   where a method says so
//   INTERNAL            a mistake of ours; nothing was changed
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "storage/append_batch.h"
#include "storage/audit.h"
#include "storage/feed.h"
#include "storage/inbox.h"
#include "storage/read_pointer.h"
#include "storage/records.h"
#include "storage/upkeep.h"

namespace confab::storage {

// Writes. One database connection and one order of commits. After UNAVAILABLE or UNKNOWN the
// writer connects anew by itself at the next call. Ends before its Store.
// Threads: caller serialises (each committer thread has its own). Methods block.
class StoreWriter {
 public:
  virtual ~StoreWriter() = default;

  // Commits the batch in one transaction and answers each request, in order. Rooms are locked
  // in one fixed order; seqs are gap-free per room and follow the order of the batch. A failed
  // call changed nothing, except UNKNOWN: then the same batch may be given again, and requests
  // that were stored the first time come out as kDuplicate. A retry is recognised before the
  // member list's version is compared. At most 4,096 events.
  virtual absl::StatusOr<std::vector<AppendOutcome>> Append(AppendBatch batch) = 0;

  // ALREADY_EXISTS if the id is taken. A room that was deleted before goes on with its next seq.
  virtual absl::StatusOr<RoomRecord> CreateRoom(const NewRoom& room) = 0;

  // Changes inboxes in one transaction and answers each write, in order. Inboxes are locked in one
  // fixed order; seqs are gap-free per inbox and follow the order of the batch. At most 4,096
  // writes. After UNKNOWN the same batch may be given again: what was stored the first time and
  // has a key comes out as a duplicate.
  virtual absl::StatusOr<std::vector<InboxOutcome>> WriteInboxes(
      absl::Span<const InboxWrite> batch) = 0;

  // The consumer has dealt with everything up to the cursor's position.
  virtual absl::Status SetFeedCursor(const FeedCursor& cursor) = 0;
  // NOT_FOUND if there is none.
  virtual absl::Status DeleteFeedCursor(const std::string& consumer) = 0;

  // Removes the room with members and log. NOT_FOUND if there is none. `audit` is recorded with
  // it, unless null.
  virtual absl::Status DeleteRoom(const RoomId& room, const AuditRecord* audit) = 0;

  // Records what became no event: what was refused, and what has no room. At most
  // kAuditBatchLimit (record_check.h).
  virtual absl::Status WriteAudit(absl::Span<const AuditRecord> records) = 0;

  // Moves read pointers in one transaction and answers each move, in order. A pointer moves forward
  // only, and no further than the newest event. Rooms are locked as Append locks them. Doing it
  // again does no harm.
  virtual absl::StatusOr<std::vector<PointerOutcome>> MovePointers(
      absl::Span<const PointerMove> moves) = 0;

  // A message counts as read by its sender, which a process that ended may have had no time to
  // write down. One step of moving the pointers of whoever posted within `window` before the newest
  // event of all rooms: the first step finds that event, each looks at the next `rooms` rooms.
  // `from`: what the step before answered.
  virtual absl::StatusOr<PointerRepair> RepairPointers(absl::Duration window,
                                                       const PointerRepair& from,
                                                       int32_t rooms) = 0;

  // What of the room's log is kept from now on. NOT_FOUND if there is no such room. `audit` as for
  // DeleteRoom.
  virtual absl::Status SetRetention(const RoomId& room, const Retention& retention,
                                    const AuditRecord* audit) = 0;

  // One step of applying it: removes at most `rows` events from the beginning of the log. Their
  // seqs are not used again, and their dedup keys are kept until they are kStubAge old. NOT_FOUND
  // if there is no such room.
  virtual absl::StatusOr<TrimStep> Trim(const RoomId& room, int32_t rows) = 0;

  // One step of erasing what a user has written in a room: among the `rows` events behind
  // `after_seq` his messages are emptied and marked as deleted, and his name and e-mail address
  // go. NOT_FOUND if there is no such room.
  virtual absl::StatusOr<EraseStep> Erase(const RoomId& room, const UserId& user, int64_t after_seq,
                                          int32_t rows) = 0;
};

// Reads, and what belongs to the process as a whole.
// Threads: any thread. Methods block, each for a bounded time.
class Store {
 public:
  virtual ~Store() = default;

  // One active process per store. True: this one holds the lock, now or already. False: another
  // does. The lock ends with this object or with the process. Who takes it brings the schema up
  // first, which may take long; until then nothing can be read. FAILED_PRECONDITION: the schema is
  // too new.
  virtual absl::StatusOr<bool> TryBecomeActive() = 0;

  // True: the lock is held, so nobody else has written up to this call. False if another process is
  // or may have been active since TryBecomeActive() answered true; that never turns by itself.
  // Another status: the database cannot be asked; nothing can be committed then, and a writer that
  // connects makes sure of the lock again.
  virtual absl::StatusOr<bool> IsActive() = 0;

  // FAILED_PRECONDITION unless active. A backend may allow only one writer at a time.
  virtual absl::StatusOr<std::unique_ptr<StoreWriter>> OpenWriter() = 0;

  // NOT_FOUND if there is no such room.
  virtual absl::StatusOr<RoomSnapshot> ReadRoom(const RoomId& room,
                                                absl::Span<const UserId> users) = 0;

  // A page of the log, with the room's last_seq and member_seq of the same snapshot. NOT_FOUND
  // if there is no such room.
  virtual absl::StatusOr<EventPage> ReadEvents(const EventQuery& query) = 0;

  // Rooms with an id greater than `after`, by id; `member` restricts to that user's rooms unless
  // empty.
  virtual absl::StatusOr<std::vector<RoomRecord>> ListRooms(const RoomId& after,
                                                            const UserId& member,
                                                            int32_t limit) = 0;

  // A user's rooms with an id greater than `after`, by id, with what is the user's of each. The
  // user's own messages are not taken out: they lie at or before the pointer (RepairPointers).
  virtual absl::StatusOr<std::vector<MembershipRecord>> ListMemberships(const UserId& user,
                                                                        const RoomId& after,
                                                                        int32_t limit) = 0;

  // Rooms with an id greater than `after` that do not keep everything, by id.
  virtual absl::StatusOr<std::vector<RoomId>> ListRetained(const RoomId& after, int32_t limit) = 0;

  // NOT_FOUND if there is no such room.
  virtual absl::StatusOr<Retention> ReadRetention(const RoomId& room) = 0;

  // Rooms with an id greater than `after` that the user is or was a member of, by id.
  virtual absl::StatusOr<std::vector<RoomId>> ListRoomsEver(const UserId& user, const RoomId& after,
                                                            int32_t limit) = 0;

  // What a pointer at `seq` has behind it. NOT_FOUND if there is no such room.
  virtual absl::StatusOr<ReadPosition> ReadPositionAt(const RoomId& room, int64_t seq) = 0;

  // Present members, or who is banned now, with a user id greater than `after`, by user id.
  // NOT_FOUND if there is no such room.
  virtual absl::StatusOr<std::vector<MemberRecord>> ListMembers(const RoomId& room,
                                                                MemberFilter filter,
                                                                const UserId& after,
                                                                int32_t limit) = 0;

  // How many present members. NOT_FOUND if there is no such room.
  virtual absl::StatusOr<int64_t> CountMembers(const RoomId& room) = 0;

  // How far each user's inbox has come, in the order asked.
  virtual absl::StatusOr<std::vector<InboxHead>> ReadInboxHeads(absl::Span<const UserId> users) = 0;

  // What was stored in the user's inbox under that key, not before `since`, acknowledged or not: as a
  // write under it is answered, without acked_seq. Not is_duplicate: nothing was.
  virtual absl::StatusOr<InboxOutcome> FindInboxKey(const UserId& user, const std::string& key,
                                                    absl::Time since) = 0;

  // A page of what waits; empty for a user without an inbox.
  virtual absl::StatusOr<InboxPage> ReadInbox(const InboxQuery& query) = 0;

  // Events behind `after` in the order of the feed, at most `limit`.
  virtual absl::StatusOr<FeedPage> ReadFeed(const FeedPosition& after, int32_t limit) = 0;
  // Behind it stands only what was not stored yet, or is being stored now.
  virtual absl::StatusOr<FeedPosition> ReadFeedEnd() = 0;
  // By their consumers' names.
  virtual absl::StatusOr<std::vector<FeedCursor>> ListFeedCursors() = 0;
  // Rows of the audit table, newest first.
  virtual absl::StatusOr<std::vector<AuditRecord>> ListAudit(const AuditQuery& query) = 0;

  // OK if a trivial statement is answered now; for readiness.
  virtual absl::Status Ping() = 0;
};

}  // namespace confab::storage
