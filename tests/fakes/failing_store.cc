#include "tests/fakes/failing_store.h"

#include <chrono>
#include <condition_variable>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace confab::storage {
namespace {

constexpr int kForEver = std::numeric_limits<int>::max();
constexpr auto kBlockedLimit = std::chrono::seconds(10);  // A test that waits longer is stuck.

struct Failure {
  int skip = 0;   // Calls that still pass.
  int times = 1;  // Calls that then fail.
  bool is_performed = false;
  absl::Status status;
};

// What becomes of one call.
struct Verdict {
  absl::Status status;        // Not OK: answer this,
  bool is_performed = false;  // after having done the work.
};

}  // namespace

class FailingStore::Script {
 public:
  void Add(StoreCall call, Failure failure) {
    const std::lock_guard lock(mu_);
    failures_[call].push_back(std::move(failure));
  }
  void Heal() {
    const std::lock_guard lock(mu_);
    failures_.clear();
  }
  void SetBlocked(StoreCall call, bool is_blocked) {
    const std::lock_guard lock(mu_);
    if (is_blocked) {
      blocked_.insert(call);
    } else {
      blocked_.erase(call);
    }
    changed_.notify_all();
  }
  bool WaitUntilBlocked(StoreCall call, int count) {
    std::unique_lock lock(mu_);
    return changed_.wait_for(lock, kBlockedLimit, [&] { return waiting_[call] >= count; });
  }
  void NoteBatch(size_t events) {
    const std::lock_guard lock(mu_);
    batch_sizes_.push_back(events);
  }
  std::vector<size_t> batch_sizes() {
    const std::lock_guard lock(mu_);
    return batch_sizes_;
  }
  int calls(StoreCall call) {
    const std::lock_guard lock(mu_);
    return calls_[call];
  }
  void LoseLock() {
    const std::lock_guard lock(mu_);
    is_lock_lost_ = true;
  }
  bool is_lock_lost() {
    const std::lock_guard lock(mu_);
    return is_lock_lost_;
  }

  Verdict Enter(StoreCall call) {
    std::unique_lock lock(mu_);
    ++calls_[call];
    ++waiting_[call];
    changed_.notify_all();
    changed_.wait(lock, [&] { return !blocked_.contains(call); });
    --waiting_[call];
    Verdict verdict;
    for (Failure& failure : failures_[call]) {
      if (failure.skip > 0) {
        --failure.skip;
      } else if (failure.times > 0 && verdict.status.ok()) {
        if (failure.times != kForEver) --failure.times;
        verdict = {failure.status, failure.is_performed};
      }
    }
    return verdict;
  }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  std::map<StoreCall, std::vector<Failure>> failures_;
  std::map<StoreCall, int> calls_;
  std::map<StoreCall, int> waiting_;
  std::set<StoreCall> blocked_;
  std::vector<size_t> batch_sizes_;
  bool is_lock_lost_ = false;
};

class FailingStore::Writer : public StoreWriter {
 public:
  Writer(std::unique_ptr<StoreWriter> writer, std::shared_ptr<Script> script)
      : writer_(std::move(writer)), script_(std::move(script)) {}

  absl::StatusOr<std::vector<AppendOutcome>> Append(AppendBatch batch) override {
    size_t events = 0;
    for (const AppendRequest& request : batch) events += request.events.size();
    script_->NoteBatch(events);
    const Verdict verdict = script_->Enter(StoreCall::kAppend);
    if (verdict.status.ok()) return writer_->Append(batch);
    if (verdict.is_performed) {
      if (auto result = writer_->Append(batch); !result.ok()) return result.status();
    }
    return verdict.status;
  }

  absl::StatusOr<RoomRecord> CreateRoom(const NewRoom& room) override {
    const Verdict verdict = script_->Enter(StoreCall::kCreateRoom);
    if (verdict.status.ok()) return writer_->CreateRoom(room);
    if (verdict.is_performed) {
      if (auto result = writer_->CreateRoom(room); !result.ok()) return result.status();
    }
    return verdict.status;
  }

  absl::StatusOr<std::vector<InboxOutcome>> WriteInboxes(
      absl::Span<const InboxWrite> batch) override {
    const Verdict verdict = script_->Enter(StoreCall::kWriteInboxes);
    if (verdict.status.ok()) return writer_->WriteInboxes(batch);
    if (verdict.is_performed) {
      if (auto result = writer_->WriteInboxes(batch); !result.ok()) return result.status();
    }
    return verdict.status;
  }

  absl::Status SetFeedCursor(const FeedCursor& cursor) override {
    const Verdict verdict = script_->Enter(StoreCall::kSetFeedCursor);
    return verdict.status.ok() ? writer_->SetFeedCursor(cursor) : verdict.status;
  }
  absl::Status DeleteFeedCursor(const std::string& consumer) override {
    return writer_->DeleteFeedCursor(consumer);
  }

  absl::Status DeleteRoom(const RoomId& room, const AuditRecord* audit) override {
    const Verdict verdict = script_->Enter(StoreCall::kDeleteRoom);
    if (verdict.status.ok()) return writer_->DeleteRoom(room, audit);
    if (verdict.is_performed) {
      if (auto status = writer_->DeleteRoom(room, audit); !status.ok()) return status;
    }
    return verdict.status;
  }

  absl::Status WriteAudit(absl::Span<const AuditRecord> records) override {
    const Verdict verdict = script_->Enter(StoreCall::kWriteAudit);
    if (verdict.status.ok()) return writer_->WriteAudit(records);
    if (verdict.is_performed) {
      if (auto status = writer_->WriteAudit(records); !status.ok()) return status;
    }
    return verdict.status;
  }

  absl::StatusOr<std::vector<PointerOutcome>> MovePointers(
      absl::Span<const PointerMove> moves) override {
    const Verdict verdict = script_->Enter(StoreCall::kMovePointers);
    if (verdict.status.ok()) return writer_->MovePointers(moves);
    if (verdict.is_performed) {
      if (auto result = writer_->MovePointers(moves); !result.ok()) return result.status();
    }
    return verdict.status;
  }

  absl::StatusOr<PointerRepair> RepairPointers(absl::Duration window, const PointerRepair& from,
                                               int32_t rooms) override {
    if (const auto v = script_->Enter(StoreCall::kRepairPointers); !v.status.ok()) return v.status;
    return writer_->RepairPointers(window, from, rooms);
  }

  absl::Status SetRetention(const RoomId& room, const Retention& retention,
                            const AuditRecord* audit) override {
    const Verdict verdict = script_->Enter(StoreCall::kSetRetention);
    return verdict.status.ok() ? writer_->SetRetention(room, retention, audit) : verdict.status;
  }

  absl::StatusOr<TrimStep> Trim(const RoomId& room, int32_t rows) override {
    const Verdict verdict = script_->Enter(StoreCall::kTrim);
    if (verdict.status.ok()) return writer_->Trim(room, rows);
    if (verdict.is_performed) {
      if (auto result = writer_->Trim(room, rows); !result.ok()) return result.status();
    }
    return verdict.status;
  }

  absl::StatusOr<EraseStep> Erase(const RoomId& room, const UserId& user, int64_t after_seq,
                                  int32_t rows) override {
    if (const auto v = script_->Enter(StoreCall::kErase); !v.status.ok()) return v.status;
    return writer_->Erase(room, user, after_seq, rows);
  }

 private:
  std::unique_ptr<StoreWriter> writer_;
  std::shared_ptr<Script> script_;
};

FailingStore::FailingStore(std::unique_ptr<Store> store)
    : store_(std::move(store)), script_(std::make_shared<Script>()) {}
FailingStore::~FailingStore() = default;

void FailingStore::Fail(StoreCall call, absl::Status status, int nth, int times) {
  script_->Add(call, {nth - 1, times, false, std::move(status)});
}
void FailingStore::FailAlways(StoreCall call, absl::Status status) {
  script_->Add(call, {0, kForEver, false, std::move(status)});
}
void FailingStore::LoseAnswer(StoreCall call, int nth) {
  script_->Add(call, {nth - 1, 1, true, absl::UnknownError("the answer to COMMIT was lost")});
}
void FailingStore::Heal() { script_->Heal(); }
void FailingStore::Block(StoreCall call) { script_->SetBlocked(call, true); }
void FailingStore::Unblock(StoreCall call) { script_->SetBlocked(call, false); }
bool FailingStore::WaitUntilBlocked(StoreCall call, int count) {
  return script_->WaitUntilBlocked(call, count);
}
void FailingStore::LoseLock() { script_->LoseLock(); }
int FailingStore::calls(StoreCall call) const { return script_->calls(call); }
std::vector<size_t> FailingStore::batch_sizes() const { return script_->batch_sizes(); }

absl::StatusOr<bool> FailingStore::TryBecomeActive() {
  if (const auto v = script_->Enter(StoreCall::kTryBecomeActive); !v.status.ok()) return v.status;
  return store_->TryBecomeActive();
}
absl::StatusOr<bool> FailingStore::IsActive() {
  if (const auto v = script_->Enter(StoreCall::kIsActive); !v.status.ok()) return v.status;
  if (script_->is_lock_lost()) return false;
  return store_->IsActive();
}
absl::StatusOr<std::unique_ptr<StoreWriter>> FailingStore::OpenWriter() {
  if (const auto v = script_->Enter(StoreCall::kOpenWriter); !v.status.ok()) return v.status;
  auto writer = store_->OpenWriter();
  if (!writer.ok()) return writer.status();
  return std::make_unique<Writer>(*std::move(writer), script_);
}
absl::StatusOr<RoomSnapshot> FailingStore::ReadRoom(const RoomId& room,
                                                    absl::Span<const UserId> users) {
  if (const auto v = script_->Enter(StoreCall::kReadRoom); !v.status.ok()) return v.status;
  return store_->ReadRoom(room, users);
}
absl::StatusOr<EventPage> FailingStore::ReadEvents(const EventQuery& query) {
  if (const auto v = script_->Enter(StoreCall::kReadEvents); !v.status.ok()) return v.status;
  auto page = store_->ReadEvents(query);
  const auto v = script_->Enter(StoreCall::kReadEventsAnswer);
  return v.status.ok() ? std::move(page) : v.status;
}
absl::StatusOr<std::vector<RoomRecord>> FailingStore::ListRooms(const RoomId& after,
                                                                const UserId& member,
                                                                int32_t limit) {
  if (const auto v = script_->Enter(StoreCall::kListRooms); !v.status.ok()) return v.status;
  return store_->ListRooms(after, member, limit);
}
absl::StatusOr<std::vector<MembershipRecord>> FailingStore::ListMemberships(const UserId& user,
                                                                            const RoomId& after,
                                                                            int32_t limit) {
  if (const auto v = script_->Enter(StoreCall::kListMemberships); !v.status.ok()) return v.status;
  return store_->ListMemberships(user, after, limit);
}
absl::StatusOr<ReadPosition> FailingStore::ReadPositionAt(const RoomId& room, int64_t seq) {
  if (const auto v = script_->Enter(StoreCall::kReadPositionAt); !v.status.ok()) return v.status;
  return store_->ReadPositionAt(room, seq);
}
absl::StatusOr<std::vector<RoomId>> FailingStore::ListRetained(const RoomId& after, int32_t limit) {
  if (const auto v = script_->Enter(StoreCall::kListRetained); !v.status.ok()) return v.status;
  return store_->ListRetained(after, limit);
}
absl::StatusOr<Retention> FailingStore::ReadRetention(const RoomId& room) {
  if (const auto v = script_->Enter(StoreCall::kReadRetention); !v.status.ok()) return v.status;
  return store_->ReadRetention(room);
}
absl::StatusOr<std::vector<RoomId>> FailingStore::ListRoomsEver(const UserId& user,
                                                                const RoomId& after,
                                                                int32_t limit) {
  if (const auto v = script_->Enter(StoreCall::kListRoomsEver); !v.status.ok()) return v.status;
  return store_->ListRoomsEver(user, after, limit);
}
absl::StatusOr<std::vector<MemberRecord>> FailingStore::ListMembers(const RoomId& room,
                                                                    MemberFilter filter,
                                                                    const UserId& after,
                                                                    int32_t limit) {
  if (const auto v = script_->Enter(StoreCall::kListMembers); !v.status.ok()) return v.status;
  return store_->ListMembers(room, filter, after, limit);
}
absl::StatusOr<std::vector<AuditRecord>> FailingStore::ListAudit(const AuditQuery& query) {
  if (const auto v = script_->Enter(StoreCall::kListAudit); !v.status.ok()) return v.status;
  return store_->ListAudit(query);
}
absl::StatusOr<int64_t> FailingStore::CountMembers(const RoomId& room) {
  if (const auto v = script_->Enter(StoreCall::kCountMembers); !v.status.ok()) return v.status;
  return store_->CountMembers(room);
}
absl::StatusOr<std::vector<InboxHead>> FailingStore::ReadInboxHeads(
    absl::Span<const UserId> users) {
  if (const auto v = script_->Enter(StoreCall::kReadInboxHeads); !v.status.ok()) return v.status;
  return store_->ReadInboxHeads(users);
}
absl::StatusOr<InboxOutcome> FailingStore::FindInboxKey(const UserId& user, const std::string& key,
                                                        absl::Time since) {
  if (const auto v = script_->Enter(StoreCall::kFindInboxKey); !v.status.ok()) return v.status;
  return store_->FindInboxKey(user, key, since);
}
absl::StatusOr<InboxPage> FailingStore::ReadInbox(const InboxQuery& query) {
  if (const auto v = script_->Enter(StoreCall::kReadInbox); !v.status.ok()) return v.status;
  return store_->ReadInbox(query);
}
absl::StatusOr<FeedPage> FailingStore::ReadFeed(const FeedPosition& after, int32_t limit) {
  if (const auto v = script_->Enter(StoreCall::kReadFeed); !v.status.ok()) return v.status;
  return store_->ReadFeed(after, limit);
}
absl::StatusOr<FeedPosition> FailingStore::ReadFeedEnd() { return store_->ReadFeedEnd(); }
absl::StatusOr<std::vector<FeedCursor>> FailingStore::ListFeedCursors() {
  return store_->ListFeedCursors();
}
absl::Status FailingStore::Ping() {
  if (const auto v = script_->Enter(StoreCall::kPing); !v.status.ok()) return v.status;
  return store_->Ping();
}

}  // namespace confab::storage
