#include "control/room/room_log_follower.h"

#include <algorithm>
#include <utility>

#include "control/room/event_message.h"
#include "process/failpoint.h"

namespace confab::control {

using storage::AppendOutcome;
using storage::EventPage;
using storage::EventRecord;
using storage::NewEvent;

namespace {

storage::EventQuery PageBehind(const storage::RoomId& room, int64_t after_seq) {
  storage::EventQuery query;
  query.room = room;
  query.after_seq = after_seq;
  query.limit = RoomLogFollower::kPageEvents;
  return query;
}

int64_t LastSeqOf(const RoomCommand& command) {
  return command.outcome.first_seq + static_cast<int64_t>(command.append.events.size()) - 1;
}

}  // namespace

RoomLogFollower::RoomLogFollower(const storage::RoomId& room, LaneTools& tools, Owner& owner)
    : room_(room),
      tools_(tools),
      owner_(owner),
      audience_("room:" + room.value, *this, tools.outbox),
      reader_(room_, tools, published_seq_) {}

void RoomLogFollower::Start(int64_t published_seq) {
  ++generation_;
  published_seq_ = published_seq;
  reader_.Reset();
}

void RoomLogFollower::Add(std::unique_ptr<RoomCommand> command) {
  if (waiting_.empty() && !is_advancing_ && IsPublished(*command)) {
    return owner_.OnSettled(std::move(command));
  }
  waiting_.push_back(std::move(command));
  if (!Advance()) ReadGap();
}

// Settles what is published and publishes what follows. False: a gap is in the way.
bool RoomLogFollower::Advance() {
  if (is_advancing_) return true;
  is_advancing_ = true;
  while (!waiting_.empty() && IsPublished(*waiting_.front())) {
    auto settled = std::move(waiting_.front());
    waiting_.pop_front();
    owner_.OnSettled(std::move(settled));
  }
  is_advancing_ = false;
  return waiting_.empty();
}

// Publishes the command's events if it is their turn. False: something lies between, or only the
// store has them.
bool RoomLogFollower::IsPublished(RoomCommand& command) {
  if (LastSeqOf(command) <= published_seq_) return true;
  if (command.outcome.kind != AppendOutcome::Kind::kStored ||
      command.outcome.first_seq > published_seq_ + 1) {
    return false;
  }
  int64_t seq = command.outcome.first_seq;
  for (NewEvent& event : command.append.events) {
    if (seq > published_seq_) Publish(event, seq, command.outcome.created_at, {});
    ++seq;
  }
  return true;
}

void RoomLogFollower::Publish(NewEvent& event, int64_t seq, absl::Time created_at,
                              const storage::MessageMarks& marks) {
  published_seq_ = seq;
  if (ChangesRules(event.kind)) owner_.OnMemberEvent(event, seq, created_at);
  if (event.kind == storage::EventKind::kMessagePosted && !event.actor.id.empty()) {
    tools_.own_pointers.Note(event.actor.id, room_, seq);
  }
  CONFAB_FAILPOINT(kPublishBefore);
  if (ChangesMessage(event.kind)) reader_.OnMessageChanged(event.target_seq);
  if (audience_.empty() && !reader_.is_open()) return;
  audience_.Publish([&](v1::RoomEvent& told) {
    FillRoomEvent(room_, seq, created_at, event, marks, told);
    reader_.OnPublished(told);
  });
}

// --- Reading what was not seen

void RoomLogFollower::Sync() {
  is_sync_wanted_ = true;
  ReadGap();
}

void RoomLogFollower::SyncRepeatedly() {
  Sync();
  for (const absl::Duration delay : {absl::Seconds(1), absl::Seconds(5)}) {
    Later(delay, [this, generation = generation_] {
      if (generation == generation_) Sync();
    });
  }
}

void RoomLogFollower::ReadGap() {
  if (is_reading_) return;
  is_reading_ = true;
  ++pending_;
  ReadStore(
      tools_,
      [query = PageBehind(room_, published_seq_)](storage::Store& store) {
        return store.ReadEvents(query);
      },
      [this, generation = generation_](absl::StatusOr<EventPage> page) {
        --pending_;
        OnGap(generation, std::move(page));
      });
}

void RoomLogFollower::OnGap(uint64_t generation, absl::StatusOr<EventPage> page) {
  is_reading_ = false;
  if (generation != generation_) {
    if (is_sync_wanted_ || !waiting_.empty()) ReadGap();
    return;
  }
  if (!page.ok()) {
    if (absl::IsNotFound(page.status())) return owner_.OnGone();
    owner_.OnSyncFailed();
    return RetryLater();
  }
  const int64_t before = published_seq_;
  if (!PublishPage(*page)) return owner_.OnGone();
  if (page->more) return ReadGap();
  const bool has_progress = published_seq_ > before;
  const bool was_wanted = std::exchange(is_sync_wanted_, false);
  const bool is_blocked = !Advance();
  // What came late may have been erased since it was written or read: when it was, it was not kept yet.
  if (has_progress) reader_.Forget();
  if (has_progress || !is_blocked) retry_after_ = kRetryMin;
  if (was_wanted) owner_.OnSynced();
  if (!is_blocked) return;
  if (has_progress) {
    ReadGap();
  } else {
    RetryLater();  // The store does not show yet what it has stored.
  }
}

void RoomLogFollower::RetryLater() {
  if (tools_.is_stopping || is_reading_) return;
  is_reading_ = true;
  Later(retry_after_, [this] {
    is_reading_ = false;
    if (is_sync_wanted_ || !waiting_.empty()) ReadGap();
  });
  retry_after_ = std::min(retry_after_ * 2, kRetryMax);
}

// False: the log does not go on where it was left, so this is another room of the same name.
bool RoomLogFollower::PublishPage(EventPage& page) {
  for (EventRecord& record : page.events) {
    if (record.seq <= published_seq_) continue;
    if (record.seq != published_seq_ + 1 && published_seq_ > 0) return false;
    Publish(record.event, record.seq, record.created_at, record.marks);
  }
  return true;
}

void RoomLogFollower::EndAll(const absl::Status& why) {
  ++generation_;
  is_sync_wanted_ = false;
  reader_.Reset();
  audience_.EndAll(published_seq_, why);
}

// --- RoomAudience::Room

void RoomLogFollower::ReadLog(int64_t after_seq, LogReader::Done done) {
  reader_.Read({after_seq, {LogReader::kPageEvents, LogReader::kPageBytes}},
               [this, generation = generation_,
                done = std::move(done)](absl::StatusOr<SharedPage> page) mutable {
                 if (generation == generation_ && absl::IsNotFound(page.status())) owner_.OnGone();
                 done(std::move(page));
               });
}

void RoomLogFollower::Later(absl::Duration delay, absl::AnyInvocable<void()> task) {
  ++pending_;
  tools_.lane.Delay(delay, [this, task = std::move(task)]() mutable {
    --pending_;
    task();
  });
}

}  // namespace confab::control
