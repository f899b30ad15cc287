#include "control/notification/notification_lane.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <absl/time/time.h>

#include "control/fanout/own_topics.h"
#include "control/notification/notification_rules.h"
#include "control/room/event_message.h"
#include "control/status_reason.h"

namespace confab::control {

using storage::UserId;
using Outgoing = v1::OutgoingNotification;

namespace {

// Look-ups of inboxes that failed are tried again after it.
constexpr absl::Duration kHeadsRetry = absl::Milliseconds(200);
// Reads of inboxes of one lane at a time: connecting is not to be slowed by a storm of it.
constexpr size_t kReadsLimit = 2;

absl::Status TooBusy() {
  return absl::UnavailableError("the server is too busy right now; try again");
}

}  // namespace

// A notification on its way into an inbox.
struct NotificationLane::StoreJob : CommitJob {
  explicit StoreJob(NotificationLane& notifications) : home(notifications) {
    kind = Kind::kInbox;
    is_command = false;
  }
  void Answer() override { home.OnStored(*this); }

  NotificationLane& home;
  std::unique_ptr<NotifyCall> call;
};

struct NotificationLane::AckJob : CommitJob {
  explicit AckJob(NotificationLane& notifications) : home(notifications) {
    kind = Kind::kInbox;
    is_command = false;
  }
  void Answer() override {
    absl::StatusOr<int64_t> acked = inbox_outcome.acked_seq;
    if (!status.ok()) acked = status;
    home.answers_.emplace_back([done = std::exchange(call->done, nullptr),
                                acked = std::move(acked)]() mutable { done(std::move(acked)); });
  }

  NotificationLane& home;
  std::unique_ptr<AckCall> call;
};

NotificationLane::NotificationLane(const Parts& parts)
    : parts_(parts),
      counters_(*parts.metrics),
      reports_(outbox_, parts.index, parts.lanes),
      reads_(*parts.lane, *parts.readers, kReadsLimit),
      key_lookup_(*parts.lane, *parts.readers, *parts.store,
                  [this](std::unique_ptr<NotifyCall> call, const storage::InboxOutcome& first) {
                    OnLookedUp(std::move(call), first);
                  }) {}

// --- to whom

void NotificationLane::Notify(std::unique_ptr<NotifyCall> call) {
  if (!IsLogged(*call) && AnswerRetry(call)) return;
  switch (call->what.target_case()) {
    case Outgoing::kUserId:
    case Outgoing::kRole:
      return NotifyUser(std::move(call));
    case Outgoing::kRoomId:
      return NotifyRoom(std::move(call));
    case Outgoing::kConnectionId:
      return NotifyConnection(std::move(call));
    case Outgoing::kEverybody:
    case Outgoing::TARGET_NOT_SET:
      return NotifyAll(std::move(call));
  }
}

// What may have been stored under its key, before this control began or beyond what it remembers, is
// not told once more.
void NotificationLane::NotifyUser(std::unique_ptr<NotifyCall> call) {
  if (IsLogged(*call)) return Store(std::move(call));
  if (call->what.has_user_id()) {
    const bool may_be_stored = call->what.store_if_absent() && MayBeRepeated(*call);
    const KeyLookup::Turn turn = key_lookup_.Take(call, may_be_stored);
    if (turn == KeyLookup::Turn::kLater) return;
    if (turn == KeyLookup::Turn::kFull) return Refuse(*call, TooBusy());
  }
  TellUser(std::move(call));
}

void NotificationLane::OnLookedUp(std::unique_ptr<NotifyCall> call,
                                  const storage::InboxOutcome& first) {
  if (is_stopped_) return Refuse(*call, absl::UnavailableError("control is stopping"));
  if (call->deadline <= parts_.lane->now()) return Refuse(*call, TooBusy());
  if (!first.is_duplicate) return TellUser(std::move(call));
  v1::NotificationOutcome outcome = OutcomeOf(*call, 0);
  outcome.set_notification_id(first.notification_id);
  outcome.set_stored(true);
  outcome.set_seq(first.seq);
  outcome.set_duplicate(true);
  Answer(*call, std::move(outcome));
}

// Who has these topics is known here.
void NotificationLane::TellUser(std::unique_ptr<NotifyCall> call) {
  const OwnTopics::Audience audience = parts_.users->AudienceOf(TopicOf(call->what));
  const v1::ControlItem item = BroadcastOf(*call, PushOf(*call));
  if (call->what.store_if_absent()) return TellOrStore(std::move(call), audience.edges, item);
  // By the way of those that are counted: one that is newer never comes before one that is older.
  for (const auto& edge : audience.edges) outbox_.Add(edge) = item;
  Answer(*call, OutcomeOf(*call, audience.connections));
}

// Only the edges know who of the user's clients has a name for it. Where an edge did not say so in
// time it may be told and stored, which is better than neither.
void NotificationLane::TellOrStore(std::unique_ptr<NotifyCall> call,
                                   const EdgeReports::Edges& edges, const v1::ControlItem& item) {
  reports_.Send(edges, item, parts_.lane->now(),
                [this, call = std::move(call)](uint32_t connections, bool is_exact) mutable {
                  if (connections == 0) {
                    if (!is_stopped_) return Store(std::move(call));
                    return Refuse(*call, absl::UnavailableError("control is stopping"));
                  }
                  v1::NotificationOutcome outcome = OutcomeOf(*call, connections);
                  outcome.set_connections_exact(is_exact);
                  Answer(*call, std::move(outcome));
                });
  AwaitReports();
}

void NotificationLane::NotifyRoom(std::unique_ptr<NotifyCall> call) {
  if (IsLogged(*call)) return Post(std::move(call));
  const auto edges = parts_.rooms->EdgesOf(storage::RoomId(call->what.room_id()));
  const v1::ControlItem item = BroadcastOf(*call, PushOf(*call));
  v1::NotificationOutcome outcome = OutcomeOf(*call, 0);
  Send(std::move(call), edges, item, std::move(outcome));
}

void NotificationLane::NotifyAll(std::unique_ptr<NotifyCall> call) {
  const v1::ControlItem item = BroadcastOf(*call, PushOf(*call));
  v1::NotificationOutcome outcome = OutcomeOf(*call, 0);
  Send(std::move(call), parts_.edges->All(), item, std::move(outcome));
}

void NotificationLane::NotifyConnection(std::unique_ptr<NotifyCall> call) {
  uint64_t connection = 0;
  const EdgeReports::Edges edges = EdgeOf(call->what.connection_id(), connection);
  v1::ControlItem item;
  item.mutable_direct()->set_connection(connection);
  *item.mutable_direct()->mutable_notification() = PushOf(*call);
  v1::NotificationOutcome outcome = OutcomeOf(*call, 0);
  Send(std::move(call), edges, item, std::move(outcome));
}

// "1a2b-3c": the epoch of the edge's start, and the connection's number there.
EdgeReports::Edges NotificationLane::EdgeOf(const std::string& connection_id,
                                            uint64_t& connection) const {
  const char* const end = connection_id.data() + connection_id.size();
  uint64_t epoch = 0;
  const auto dash = std::from_chars(connection_id.data(), end, epoch, 16);
  if (dash.ec != std::errc() || dash.ptr == end || *dash.ptr != '-') return {};
  const auto number = std::from_chars(dash.ptr + 1, end, connection, 16);
  if (number.ec != std::errc() || number.ptr != end) return {};
  EdgeReports::Edges edges = parts_.edges->All();
  std::erase_if(edges, [&](const auto& edge) { return edge->epoch() != epoch; });
  return edges;
}

void NotificationLane::Send(std::unique_ptr<NotifyCall> call, const EdgeReports::Edges& edges,
                            const v1::ControlItem& item, v1::NotificationOutcome outcome) {
  reports_.Send(edges, item, parts_.lane->now(),
                [this, call = std::move(call), outcome = std::move(outcome)](
                    uint32_t connections, bool is_exact) mutable {
                  outcome.set_connections(connections);
                  outcome.set_connections_exact(is_exact);
                  Answer(*call, std::move(outcome));
                });
  AwaitReports();
}

void NotificationLane::AwaitReports() {
  if (is_awaiting_reports_ || is_stopped_) return;
  const auto next = reports_.Expire(parts_.lane->now());
  if (next == Lane::Clock::time_point::max()) return;
  is_awaiting_reports_ = true;
  parts_.lane->Delay(absl::FromChrono(next - parts_.lane->now()), [this] {
    is_awaiting_reports_ = false;
    AwaitReports();
  });
}

// --- what is stored

// An event of the room's log, like a message of the system.
void NotificationLane::Post(std::unique_ptr<NotifyCall> call) {
  auto command = std::make_unique<RoomCommand>();
  command->append.room = storage::RoomId(call->what.room_id());
  command->request = PostRequest{};
  command->is_repeat_safe = !call->what.idempotency_key().empty();
  command->deadline = call->deadline;
  storage::NewEvent& event = command->append.events.emplace_back();
  event.kind = storage::EventKind::kNotificationPosted;
  event.message_id = call->made.notification_id();
  event.dedup = {storage::DedupKey::Space::kService, "notify\n" + DedupOf(*call)};
  event.type = call->made.event();
  event.content = call->made.json();
  command->reply = Callback<PostedMessage>(
      [this, call = std::move(call)](absl::StatusOr<PostedMessage> posted) mutable {
        if (!posted.ok()) return Refuse(*call, posted.status());
        v1::NotificationOutcome outcome = OutcomeOf(*call, 0);
        outcome.set_duplicate(posted->message_id != call->made.notification_id());
        outcome.set_notification_id(posted->message_id);
        outcome.set_stored(true);
        outcome.set_seq(posted->seq);
        // The event itself is on its way to the subscribers, who are only counted now.
        const v1::ControlItem item = BroadcastOf(*call, v1::PushedNotification());
        const auto edges = parts_.rooms->EdgesOf(storage::RoomId(call->what.room_id()));
        Send(std::move(call), edges, item, std::move(outcome));
      });
  std::vector<std::unique_ptr<RoomCommand>> commands;
  commands.push_back(std::move(command));
  parts_.rooms->Submit(std::move(commands));
}

void NotificationLane::Store(std::unique_ptr<NotifyCall> call) {
  auto job = std::make_unique<StoreJob>(*this);
  job->deadline = call->deadline;
  job->inbox = std::make_unique<storage::InboxWrite>();
  job->inbox->user = UserId(call->what.user_id());
  storage::NewNotification& notification = job->inbox->notification.emplace();
  notification.notification_id = call->made.notification_id();
  notification.event = call->made.event();
  notification.is_binary = call->made.has_binary();
  notification.payload = notification.is_binary ? call->made.binary() : call->made.json();
  notification.created_at = TimeOf(call->made.created_at());
  notification.expires_at =
      notification.created_at + (call->what.ttl_ms() > 0
                                     ? absl::Milliseconds(static_cast<int64_t>(call->what.ttl_ms()))
                                     : kNotificationAge);
  notification.dedup_key = DedupOf(*call);
  job->call = std::move(call);
  parts_.rooms->Push(std::move(job));
}

void NotificationLane::Acknowledge(std::unique_ptr<AckCall> call) {
  auto job = std::make_unique<AckJob>(*this);
  job->deadline = call->deadline;
  job->inbox = std::make_unique<storage::InboxWrite>();
  job->inbox->user = call->user;
  job->inbox->ack_seq = call->inbox_seq;
  job->call = std::move(call);
  parts_.rooms->Push(std::move(job));
}

// Commits of one inbox come back in the order of its seqs, and so they are told.
void NotificationLane::OnStored(StoreJob& job) {
  NotifyCall& call = *job.call;
  if (!job.status.ok()) {
    const bool is_in_doubt = job.is_outcome_unknown && call.what.idempotency_key().empty();
    return Refuse(call, is_in_doubt ? RefusalStatus(v1::REASON_OUTCOME_UNKNOWN,
                                                    "the answer was lost: it may be stored")
                                    : job.status);
  }
  const storage::InboxOutcome& stored = job.inbox_outcome;
  v1::NotificationOutcome outcome = OutcomeOf(call, 0);
  outcome.set_notification_id(stored.notification_id);
  outcome.set_stored(true);
  outcome.set_seq(stored.seq);
  outcome.set_duplicate(stored.is_duplicate &&
                        stored.notification_id != call.made.notification_id());
  outcome.set_oldest_dropped(stored.is_oldest_dropped);
  if (!outcome.duplicate()) {
    v1::Broadcast broadcast;
    *broadcast.mutable_notification() = PushOf(call);
    broadcast.mutable_notification()->mutable_notification()->set_inbox_seq(stored.seq);
    const std::string topic = TopicOf(call.what);
    outcome.set_connections(
        static_cast<uint32_t>(parts_.users->Broadcast(absl::MakeSpan(&topic, 1), broadcast)));
  }
  Answer(call, std::move(outcome));
}

// --- answers

// True: the key is known; the first answer is given again, when it is there.
bool NotificationLane::AnswerRetry(std::unique_ptr<NotifyCall>& call) {
  if (!MayBeRepeated(*call)) return false;
  const std::string key = KeyOf(*call);
  if (const auto first = under_way_.find(key); first != under_way_.end()) {
    if (first->second.size() < kRetriesLimit) {
      first->second.push_back(std::move(call));
    } else {
      Give(*call, absl::UnavailableError("the same is under way"));
    }
    return true;
  }
  if (const v1::NotificationOutcome* first = keys_.Find(key, parts_.lane->now())) {
    v1::NotificationOutcome outcome = *first;
    outcome.set_duplicate(true);
    Give(*call, std::move(outcome));
    return true;
  }
  under_way_.try_emplace(key);
  return false;
}

// Those that wait with the call, which is not under way any more.
std::vector<std::unique_ptr<NotifyCall>> NotificationLane::TakeRetries(const NotifyCall& call) {
  if (IsLogged(call) || !MayBeRepeated(call)) return {};
  auto first = under_way_.extract(KeyOf(call));
  return first ? std::move(first.mapped()) : std::vector<std::unique_ptr<NotifyCall>>();
}

void NotificationLane::Give(NotifyCall& call, absl::StatusOr<v1::NotificationOutcome> answer) {
  counters_.Count(answer);
  answers_.emplace_back([done = std::exchange(call.done, nullptr),
                         answer = std::move(answer)]() mutable { done(std::move(answer)); });
}

void NotificationLane::Answer(NotifyCall& call, v1::NotificationOutcome outcome) {
  const auto retries = TakeRetries(call);
  if (!IsLogged(call) && MayBeRepeated(call)) {
    keys_.Set(KeyOf(call), outcome, parts_.lane->now());
  }
  v1::NotificationOutcome again = outcome;
  again.set_duplicate(true);
  Give(call, std::move(outcome));
  for (const auto& retry : retries) Give(*retry, again);
}

// A retry tries again.
void NotificationLane::Refuse(NotifyCall& call, const absl::Status& why) {
  const auto retries = TakeRetries(call);
  Give(call, why);
  for (const auto& retry : retries) Give(*retry, why);
}

// --- inboxes of those who connect

void NotificationLane::OnOpened(const std::shared_ptr<Attachment>& edge,
                                const OpenedConnection& opened) {
  opened_.push_back({edge, opened.connection, opened.user});
}

void NotificationLane::ReadHeads() {
  if (opened_.empty() || is_reading_heads_ || is_stopped_) return;
  is_reading_heads_ = true;
  const size_t count = std::min(opened_.size(), kHeadsLimit);
  const auto end = opened_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Opened> asked(std::make_move_iterator(opened_.begin()), std::make_move_iterator(end));
  opened_.erase(opened_.begin(), end);
  reads_.Read([this, store = parts_.store,
               asked = std::move(asked)](bool is_stopping) mutable -> Lane::Task {
    std::vector<UserId> users;
    for (const Opened& opened : asked) users.push_back(opened.user);
    absl::StatusOr<std::vector<storage::InboxHead>> heads =
        absl::UnavailableError("control is stopping");
    if (!is_stopping) heads = store->ReadInboxHeads(users);
    return [this, asked = std::move(asked), heads = std::move(heads)] { OnHeads(asked, heads); };
  });
}

void NotificationLane::OnHeads(const std::vector<Opened>& opened,
                               const absl::StatusOr<std::vector<storage::InboxHead>>& heads) {
  is_reading_heads_ = false;
  if (!heads.ok()) {
    if (is_stopped_) return;
    parts_.lane->Delay(kHeadsRetry, [this, opened] {
      for (const Opened& one : opened) {
        if (one.edge->is_attached()) opened_.push_back(one);
      }
    });
    return;
  }
  for (size_t i = 0; i < opened.size(); ++i) {
    const storage::InboxHead& head = (*heads)[i];
    // Where nothing waits it is told too: the next one is no gap then, and comes live at once.
    if (head.last_seq == 0 || !opened[i].edge->is_attached()) continue;
    v1::InboxState& state = *outbox_.Add(opened[i].edge).mutable_inbox_state();
    state.set_connection(opened[i].connection);
    state.set_acked_seq(head.acked_seq);
    state.set_last_seq(head.last_seq);
  }
}

// --- turns

void NotificationLane::EndTurn() {
  ReadHeads();
  outbox_.Flush();
  for (auto& answer : std::exchange(answers_, {})) answer();
}

void NotificationLane::Stop() {
  is_stopped_ = true;
  reads_.Stop();
  key_lookup_.Stop();
  reports_.Expire(Lane::Clock::time_point::max());
}

}  // namespace confab::control
