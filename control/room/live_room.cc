#include "control/room/live_room.h"

#include <algorithm>
#include <utility>

#include "control/room/log_rules.h"
#include "control/room/page_read.h"
#include "control/room/room_refusals.h"
#include "control/status_reason.h"

namespace confab::control {

using storage::AppendOutcome;
using storage::EventPage;
using storage::RoomId;
using storage::RoomSnapshot;
using storage::UserId;

namespace {

bool IsWorthRetrying(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsDeadlineExceeded(status) || absl::IsUnknown(status);
}

// Its answer must not overtake events that its edge is still being sent.
bool IsAnsweredInOrder(const RoomCommand& command) {
  return std::holds_alternative<PostRequest>(command.request) ||
         std::holds_alternative<ChangeMessageRequest>(command.request);
}

bool IsAnnounce(const RoomCommand& command) {
  return std::holds_alternative<AnnounceRequest>(command.request);
}

}  // namespace

LiveRoom::LiveRoom(RoomId id, LaneTools& tools)
    : id_(std::move(id)),
      tools_(tools),
      log_(id_, tools, *this),
      typing_(id_, tools, log_.audience()),
      receipts_(id_, tools, log_.audience()),
      runner_(tools, log_, typing_) {}

// --- The queue

void LiveRoom::Submit(Command command) {
  const size_t limit = room_ ? kWaitingLimit : kLoadingLimit;
  if (tools_.is_stopping || (waiting_.size() >= limit && !IsAnnounce(*command))) {
    return runner_.Refuse(*command, TooMany());
  }
  command->order = ++orders_;
  const bool is_free = !waiting_.has_head() && !is_blocked() && !is_pumping_;
  if (is_free && Run(command)) return;
  waiting_.PushBack(std::move(command));
}

void LiveRoom::Pump() {
  if (is_pumping_) return;
  is_pumping_ = true;
  while (waiting_.has_head() && !is_blocked()) {
    Command command = waiting_.PopFront();
    if (Run(command)) continue;
    waiting_.PushFront(std::move(command));
    break;
  }
  if (!waiting_.has_head()) is_absent_ = false;
  is_pumping_ = false;
}

bool LiveRoom::Run(Command& command) {
  if (command->deadline <= tools_.lane.now()) {
    runner_.Refuse(*command, TooLate());
    return true;
  }
  // Rooms are made and deleted whatever is known of them.
  if (command->kind != CommitJob::Kind::kAppend) return Do(Step::kWriteAndBlock, command);
  if (!room_ && is_absent_) {
    runner_.Refuse(*command, NoSuchRoom());
    return true;
  }
  if (!room_ || is_stale_) return Do(Step::kLoad, command);
  if (IsToPark(*command)) return Do(Step::kPark, command);
  return Do(runner_.Run(*room_, *command), command);
}

bool LiveRoom::Do(Step step, Command& command) {
  switch (step) {
    case Step::kAnswered:
      return true;
    case Step::kLoad:
      Load(*command);
      return false;
    case Step::kSync:
      log_.Sync();
      return false;
    case Step::kScan:
      Scan(std::get<AnnounceRequest>(command->request));
      return false;
    case Step::kReadPage:
      ReadPage(std::move(command));
      return true;
    case Step::kWrite:
      Write(std::move(command), false);
      return true;
    case Step::kWriteAndBlock:
      Write(std::move(command), true);
      return true;
    case Step::kPark:
      waiting_.Park(std::move(command));
      return true;
  }
  return true;
}

// What an edge sends behind a parked join keeps its place.
bool LiveRoom::IsToPark(const RoomCommand& command) const {
  return command.edge != nullptr && waiting_.HasParked(*command.edge);
}

void LiveRoom::ExpireWaiting() {
  for (const Command& command : waiting_.TakeLate(tools_.lane.now())) {
    if (!IsAnnounce(*command)) runner_.Refuse(*command, TooLate());
  }
}

void LiveRoom::OnEdgeSettled(const Attachment& edge) {
  for (const Command& command : waiting_.Unpark(edge)) runner_.Settle(*command, nullptr);
  Pump();
}

void LiveRoom::Write(Command command, bool is_barrier) {
  command->lane = tools_.lane_index;
  command->home = this;
  command->is_barrier = is_barrier;
  command->append.expected_member_seq = room_ ? room_->member_seq() : 0;
  has_barrier_ = has_barrier_ || is_barrier;
  ++pending_;
  ++writes_;
  tools_.commits.push_back(std::move(command));
}

void LiveRoom::Stop() {
  const absl::Status why = RefusalStatus(v1::REASON_UNAVAILABLE, "control is stopping; try again");
  for (const Command& command : waiting_.TakeAll()) {
    // An announced edge keeps its subscriptions for the next control.
    if (!IsAnnounce(*command)) RefuseOrSettle(*command, why);
  }
  for (const Command& command : log_.TakeWaiting()) {
    runner_.Refuse(*command, OutcomeUnknown(*command));
  }
  log_.reader().Stop();
  log_.EndTails(why);
}

// --- Reading for commands

void LiveRoom::Load(const RoomCommand& first) {
  is_loading_ = true;
  std::vector<UserId> users;
  AddMissing(first, users);
  for (const Command& command : waiting_.queue()) {
    if (users.size() >= kLoadUsersLimit) break;
    AddMissing(*command, users);
  }
  std::sort(users.begin(), users.end());
  users.erase(std::unique(users.begin(), users.end()), users.end());
  ++pending_;
  ReadStore(
      tools_,
      [id = id_, users = std::move(users)](storage::Store& store) {
        return store.ReadRoom(id, users);
      },
      [this](absl::StatusOr<RoomSnapshot> snapshot) {
        --pending_;
        OnLoaded(std::move(snapshot));
      });
}

// Those whose pairs the command needs and the cache lacks.
void LiveRoom::AddMissing(const RoomCommand& command, std::vector<UserId>& users) {
  const auto add = [&](const UserId& user) {
    if (!user.empty() && (!room_ || is_stale_ || room_->Find(user) == nullptr)) {
      users.push_back(user);
    }
  };
  add(CommandRunner::ActorOf(command).id);
  if (const auto* request = std::get_if<AddRequest>(&command.request)) {
    for (const auto& member : request->members) add(member.first);
  } else if (const auto* removal = std::get_if<RemoveRequest>(&command.request)) {
    for (const UserId& user : removal->users) add(user);
  } else if (const auto* person = std::get_if<PersonRequest>(&command.request)) {
    add(person->change.user);
  } else if (const auto* announce = std::get_if<AnnounceRequest>(&command.request)) {
    const size_t end = std::min(announce->users.size(), announce->checked + kLoadUsersLimit);
    for (size_t i = announce->checked; i < end; ++i) add(announce->users[i]);
  }
}

void LiveRoom::OnLoaded(absl::StatusOr<RoomSnapshot> snapshot) {
  is_loading_ = false;
  if (tools_.is_stopping) return Stop();
  if (absl::IsNotFound(snapshot.status())) return OnAbsent();
  if (!snapshot.ok()) {
    if (IsWorthRetrying(snapshot.status())) return RetryLater();
    for (const Command& command : waiting_.TakeAll()) RefuseOrSettle(*command, snapshot.status());
    return;
  }
  retry_after_ = kRetryMin;
  if (!room_) {
    room_.emplace(*snapshot);
    log_.Start(snapshot->room.last_seq);
    is_stale_ = false;
  } else if (room_->Learn(*snapshot)) {
    is_stale_ = false;  // Else: older than what was published meanwhile; the head asks again.
  }
  Pump();
}

// Not remembered any longer than for the commands that wait: the room may be made at any time.
void LiveRoom::OnAbsent() {
  if (room_) Drop();
  is_absent_ = true;
  Pump();
}

void LiveRoom::RetryLater() {
  ExpireWaiting();
  if (!waiting_.has_head()) return;
  is_loading_ = true;
  ++pending_;
  tools_.lane.Delay(retry_after_, [this] {
    --pending_;
    is_loading_ = false;
    ExpireWaiting();
    Pump();
  });
  retry_after_ = std::min(retry_after_ * 2, kRetryMax);
}

void LiveRoom::ReadPage(Command command) {
  ++pending_;
  ReadPageOf(
      std::move(command), log_.reader(), tools_,
      [this](Command asked, const absl::Status& status) { OnPageRead(std::move(asked), status); });
}

// Who may have it is asked again, as of now.
void LiveRoom::OnPageRead(Command command, const absl::Status& status) {
  --pending_;
  if (!status.ok()) return runner_.Refuse(*command, status);
  waiting_.Requeue(std::move(command));
  Pump();
}

void LiveRoom::Scan(const AnnounceRequest& announce) {
  is_loading_ = true;
  ++pending_;
  storage::EventQuery query;
  query.room = id_;
  query.after_seq = announce.scanned_seq;
  query.limit = RoomLogFollower::kPageEvents;
  ReadStore(
      tools_, [query](storage::Store& store) { return store.ReadEvents(query); },
      [this](absl::StatusOr<EventPage> page) {
        --pending_;
        OnScanned(std::move(page));
      });
}

// The announcement is still at the head: everything waits while the room is loading.
void LiveRoom::OnScanned(absl::StatusOr<EventPage> page) {
  is_loading_ = false;
  if (tools_.is_stopping) return Stop();
  if (absl::IsNotFound(page.status())) return OnAbsent();
  if (!page.ok()) return RetryLater();
  auto* announce =
      waiting_.has_head() ? std::get_if<AnnounceRequest>(&waiting_.head().request) : nullptr;
  if (announce != nullptr) ScanForSuspects(*page, log_.published_seq(), *announce);
  Pump();
}

// --- Outcomes

void LiveRoom::OnCommitted(Command command) {
  --pending_;
  if (--writes_ == 0) is_draining_ = false;
  Apply(std::move(command));
  Pump();
}

void LiveRoom::Apply(Command command) {
  if (!command->status.ok()) return OnFailed(std::move(command));
  if (command->kind == CommitJob::Kind::kMovePointers) return OnPointer(std::move(command));
  if (command->kind != CommitJob::Kind::kAppend) return OnRoomJob(std::move(command));
  switch (command->outcome.kind) {
    case AppendOutcome::Kind::kStored:
    case AppendOutcome::Kind::kDuplicate:
      command->append.events[0].target_seq = command->outcome.target_seq;
      if (room_) return log_.Add(std::move(command));
      // The room went away behind the commit; nobody is left to be told.
      if (command->is_barrier) has_barrier_ = false;
      runner_.Refuse(*command, NoSuchRoom());
      return Pump();
    case AppendOutcome::Kind::kStaleMembers:
      return OnStale(std::move(command));
    case AppendOutcome::Kind::kRoomNotFound:
      if (command->is_barrier) has_barrier_ = false;
      if (room_) Drop();
      runner_.Refuse(*command, NoSuchRoom());
      return Pump();
    case AppendOutcome::Kind::kNoTarget:
      return runner_.Refuse(*command, NoSuchMessage());
    case AppendOutcome::Kind::kNotOwn:
      return runner_.Refuse(*command, NotOwnMessage());
  }
}

void LiveRoom::OnFailed(Command command) {
  if (command->is_barrier) has_barrier_ = false;
  if (!command->is_outcome_unknown) {
    const bool is_gone = command->kind == CommitJob::Kind::kDeleteRoom &&
                         absl::IsNotFound(command->status) && room_.has_value();
    if (is_gone) Drop();
    runner_.Refuse(*command, command->status);
    return Pump();
  }
  // It may be in the log; whoever subscribes shall get it then.
  if (room_) {
    is_stale_ = is_stale_ || command->is_barrier;
    log_.SyncRepeatedly();
  }
  runner_.Refuse(*command, OutcomeUnknown(*command));
  Pump();
}

// Another writer has changed the member list: see what it is now, publish how it came to that,
// and decide again.
void LiveRoom::OnStale(Command command) {
  if (command->is_barrier) has_barrier_ = false;
  if (room_) {
    is_stale_ = is_stale_ || command->outcome.member_seq > room_->member_seq();
    if (command->outcome.member_seq > log_.published_seq()) log_.Sync();
  }
  if (++command->tries > CommandRunner::kTriesLimit) {
    runner_.Refuse(*command, RefusalStatus(v1::REASON_UNAVAILABLE,
                                           "the member list keeps changing; try again"));
  } else {
    waiting_.Requeue(std::move(command));
    is_draining_ = writes_ > 0;
  }
  Pump();
}

void LiveRoom::OnRoomJob(Command command) {
  has_barrier_ = false;
  if (room_) Drop();
  if (command->kind == CommitJob::Kind::kDeleteRoom) {
    tools_.watch.OnDeleted(id_);
    tools_.results.Give(*command, RoomDeleted{});
  } else {
    for (const auto& member : command->new_room->members) {
      tools_.watch.OnMember(id_, member.first, true);
    }
    tools_.results.Created(*command);
  }
  Pump();
}

void LiveRoom::OnPointer(Command command) {
  const storage::PointerOutcome& outcome = command->pointers.at(0);
  if (!outcome.is_room_there) {
    if (room_) Drop();
    return runner_.Refuse(*command, NoSuchRoom());
  }
  // Who was removed meanwhile hears no more of the room, nor the room of him.
  const Membership* member = room_ ? room_->Peek(command->actor->id) : nullptr;
  if (outcome.has_moved && member != nullptr && member->role != storage::Role::kNone) {
    receipts_.Note(command->actor->id, outcome, command->edge,
                   std::get<EdgeReply>(command->reply).connection);
  }
  tools_.results.MarkedRead(*command);
}

void LiveRoom::OnGone() {
  if (room_) Drop();
  Pump();
}

// Forgets the room, which the store does not have any more. What waits loads it anew.
void LiveRoom::Drop() {
  room_.reset();  // First: whatever follows must not be decided on it.
  receipts_.Clear();
  tools_.watch.OnDeleted(id_);
  is_stale_ = false;
  for (const Command& command : log_.TakeWaiting()) {
    if (command->is_barrier) has_barrier_ = false;
    runner_.Refuse(*command, NoSuchRoom());
  }
  log_.EndAll(NoSuchRoom());
}

// A parked command may be one that was done and only waits to be answered.
void LiveRoom::RefuseOrSettle(RoomCommand& command, const absl::Status& why) {
  if (command.is_settled) {
    runner_.Settle(command, nullptr);
  } else {
    runner_.Refuse(command, why);
  }
}

void LiveRoom::OnMemberEvent(const storage::NewEvent& event, int64_t seq, absl::Time at) {
  room_->Apply(event, seq, at);
  // The role of a ban is what the user had: none where he was no member.
  const bool ends =
      event.kind == storage::EventKind::kMemberRemoved ||
      (event.kind == storage::EventKind::kMemberBanned && event.role != storage::Role::kNone);
  if (ends) receipts_.Forget(event.subject);
  const bool is_muted = event.kind == storage::EventKind::kMemberMuted;
  if (ends || is_muted) typing_.End(event.subject);
  if (ends || event.kind == storage::EventKind::kMemberAdded) {
    tools_.watch.OnMember(id_, event.subject, ends ? 0 : seq);
  }
}

void LiveRoom::OnSettled(Command command) {
  if (command->is_barrier) has_barrier_ = false;
  if (IsAnsweredInOrder(*command) && command->edge != nullptr &&
      !audience().CanSubscribe(*command->edge)) {
    // Its edge is still being sent older events: the answer must not overtake them.
    command->is_settled = true;
    waiting_.Park(std::move(command));
    return Pump();
  }
  if (!runner_.Settle(*command, room_ ? &*room_ : nullptr)) waiting_.Requeue(std::move(command));
  Pump();
}

}  // namespace confab::control
