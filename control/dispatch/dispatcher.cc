#include "control/dispatch/dispatcher.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <absl/time/clock.h>
#include <fmt/format.h>

#include "control/dispatch/call_rules.h"
#include "control/dispatch/command_translator.h"
#include "control/dispatch/edge_notifications.h"
#include "control/dispatch/edge_reads.h"
#include "control/dispatch/membership_reads.h"
#include "control/dispatch/room_lanes.h"
#include "control/dispatch/running_tail.h"
#include "control/dispatch/store_read.h"
#include "control/dispatch/user_eraser.h"
#include "control/dispatch/user_route.h"
#include "control/room/audit_trail.h"
#include "control/room/membership.h"
#include "control/room/uuid7.h"
#include "control/status_reason.h"
#include "process/metrics.h"
#include "proto/reason.h"

namespace confab::control {

using storage::Actor;
using storage::DedupKey;
using storage::Role;
using storage::RoomId;
using storage::UserId;

namespace {

using Clock = std::chrono::steady_clock;

constexpr int32_t kListDefault = 100;
constexpr int32_t kListLimit = 1000;
constexpr char kTopicPrefix[] = "room:";

absl::Status BadRequest(std::string message) {
  return RefusalStatus(v1::REASON_BAD_REQUEST, std::move(message));
}

int32_t ListLimit(int32_t asked) { return asked <= 0 ? kListDefault : std::min(asked, kListLimit); }

}  // namespace

Dispatcher::Dispatcher(DispatcherOptions options, process::Metrics& metrics,
                       std::function<void(absl::Status)> on_fatal)
    : options_(options),
      metrics_(metrics),
      on_fatal_(std::move(on_fatal)),
      recoveries_(edges_, metrics) {
  metrics_.AddGaugeFn(
      "confab_control_edges", "Edges that are attached", {},
      [this] { return static_cast<double>(edges_.size()); }, this);
}

Dispatcher::~Dispatcher() {
  metrics_.RemoveGaugeFns(this);
  Stop();
}

void Dispatcher::Start(storage::Store& store) {
  lanes_ = std::make_shared<RoomLanes>(options_, metrics_, store, edges_, on_fatal_);
  is_serving_.store(true, std::memory_order_release);
}

void Dispatcher::Stop() {
  is_serving_.store(false, std::memory_order_release);
  if (lanes_ == nullptr) return;
  edges_.BeginStop();
  lanes_->Stop();
  edges_.CloseAll(absl::UnavailableError("control is stopping"));
}

bool Dispatcher::is_serving() const { return is_serving_.load(std::memory_order_acquire); }

Deadline Dispatcher::DeadlineOf(Deadline asked) const {
  return std::min(asked, Clock::now() + absl::ToChronoNanoseconds(options_.command_deadline));
}

// --- Calls of services

void Dispatcher::Submit(std::unique_ptr<RoomCommand> command, Reply reply, Deadline deadline) {
  command->deadline = DeadlineOf(deadline);
  command->reply = std::move(reply);
  lanes_->Submit(std::move(command));
}

void Dispatcher::CreateRoom(storage::NewRoom room, Deadline deadline,
                            Callback<storage::RoomRecord> done) {
  if (!is_serving()) return done(NotServing());
  if (auto status = CheckNewRoom(room); !status.ok()) return done(status);
  auto command = std::make_unique<RoomCommand>();
  command->kind = CommitJob::Kind::kCreateRoom;
  command->request = CreateRequest{};
  command->is_repeat_safe = false;
  command->append.room = room.id;
  command->append.audit = room.audit;
  command->new_room = std::make_unique<storage::NewRoom>(std::move(room));
  Submit(std::move(command), std::move(done), deadline);
}

void Dispatcher::DeleteRoom(RoomId room, Asker asker, Deadline deadline,
                            Callback<RoomDeleted> done) {
  if (!is_serving()) return done(NotServing());
  if (auto status = CheckRoom(room); !status.ok()) return done(status);
  auto command = std::make_unique<RoomCommand>();
  command->kind = CommitJob::Kind::kDeleteRoom;
  command->request = DeleteRequest{};
  command->append.room = std::move(room);
  command->append.audit = NoteOf("room.delete", asker);
  command->audits.push_back(AuditOf(*command));
  Submit(std::move(command), std::move(done), deadline);
}

// By the member list of this moment: whoever was removed before is refused.
absl::StatusOr<storage::RoomRecord> Dispatcher::ReadRoomFor(storage::Store& store,
                                                            const RoomId& room, const UserId& asker,
                                                            RoomAct act) {
  absl::StatusOr<storage::RoomSnapshot> snapshot =
      asker.empty() ? store.ReadRoom(room, {}) : store.ReadRoom(room, {asker});
  if (!snapshot.ok()) return snapshot.status();
  if (asker.empty()) return std::move(snapshot->room);
  const v1::Reason reason = Permit(
      act, StandingOf(MembershipOf(snapshot->members.at(0)), absl::Now()), RulesOf(snapshot->room));
  if (reason == v1::REASON_UNSPECIFIED) return std::move(snapshot->room);
  return RefusalStatus(reason, MessageOf(reason));
}

void Dispatcher::GetRoom(RoomId room, UserId asker, Callback<RoomWithCount> done) {
  if (auto status = CheckRoom(room); !status.ok()) return done(status);
  ReadStore<RoomWithCount>(
      *this,
      [room = std::move(room),
       asker = std::move(asker)](storage::Store& store) -> absl::StatusOr<RoomWithCount> {
        auto record = ReadRoomFor(store, room, asker, RoomAct::kShow);
        if (!record.ok()) return record.status();
        auto count = store.CountMembers(room);
        if (!count.ok()) return count.status();
        auto retention = store.ReadRetention(room);
        if (!retention.ok()) return retention.status();
        return RoomWithCount{*std::move(record), *count, *retention};
      },
      std::move(done));
}

void Dispatcher::CountMembers(RoomId room, UserId asker, Callback<int64_t> done) {
  if (auto status = CheckRoom(room); !status.ok()) return done(status);
  ReadStore<int64_t>(
      *this,
      [room = std::move(room),
       asker = std::move(asker)](storage::Store& store) -> absl::StatusOr<int64_t> {
        const auto record = ReadRoomFor(store, room, asker, RoomAct::kListMembers);
        if (!record.ok()) return record.status();
        return store.CountMembers(room);
      },
      std::move(done));
}

void Dispatcher::ListRooms(RoomId after, UserId member, int32_t limit,
                           Callback<std::vector<storage::RoomRecord>> done) {
  for (const std::string& id : {after.value, member.value}) {
    if (auto refusal = CheckOptionalKey(id, "an id")) return done(ToStatus(*std::move(refusal)));
  }
  ReadStore<std::vector<storage::RoomRecord>>(
      *this,
      [after = std::move(after), member = std::move(member), limit = ListLimit(limit)](
          storage::Store& store) { return store.ListRooms(after, member, limit); },
      std::move(done));
}

void Dispatcher::SetRetention(RoomId room, storage::Retention retention, const Asker& asker,
                              Deadline deadline, Callback<storage::Retention> done) {
  if (!is_serving()) return done(NotServing());
  if (auto status = CheckRoom(room); !status.ok()) return done(status);
  if (auto status = CheckRetention(retention); !status.ok()) return done(status);
  const size_t lane = lanes_->LaneOf(room);
  storage::AuditRecord record;
  record.note = *NoteOf("room.retention", asker);
  record.room = room;
  auto job = std::make_unique<UpkeepJob>(CommitJob::Kind::kSetRetention, std::move(room),
                                         [done = std::move(done)](UpkeepJob& set) mutable {
                                           if (set.status.ok()) return done(set.retention);
                                           done(set.status);
                                         });
  job->retention = retention;
  job->audits.push_back(std::move(record));
  job->deadline =
      std::min(deadline, Clock::now() + absl::ToChronoNanoseconds(options_.command_deadline));
  lanes_->Post(lane,
               [job = std::move(job)](RoomLane& rooms) mutable { rooms.Push(std::move(job)); });
}

void Dispatcher::ListMemberships(UserId user, RoomId after, int32_t limit,
                                 Callback<std::vector<storage::MembershipRecord>> done) {
  if (!is_serving()) return done(NotServing());
  if (auto refusal = CheckId(user.value, "user_id")) return done(ToStatus(*std::move(refusal)));
  if (auto refusal = CheckOptionalKey(after.value, "an id")) {
    return done(ToStatus(*std::move(refusal)));
  }
  GatherOwnPointers(
      *lanes_, user,
      [this, user, after = std::move(after), limit = ListLimit(limit),
       done = std::move(done)](std::vector<storage::PointerMove> own) mutable {
        ReadStore<std::vector<storage::MembershipRecord>>(
            *this,
            [user = std::move(user), after = std::move(after), limit, own = std::move(own)](
                storage::Store& store) { return ReadMemberships(store, user, after, limit, own); },
            std::move(done));
      });
}

void Dispatcher::ListMembers(RoomId room, storage::MemberFilter filter, UserId asker, UserId after,
                             int32_t limit, Callback<std::vector<storage::MemberRecord>> done) {
  if (auto status = CheckRoom(room); !status.ok()) return done(status);
  if (auto refusal = CheckOptionalKey(after.value, "an id")) {
    return done(ToStatus(*std::move(refusal)));
  }
  ReadStore<std::vector<storage::MemberRecord>>(
      *this,
      [room = std::move(room), filter, asker = std::move(asker), after = std::move(after),
       limit = ListLimit(limit)](
          storage::Store& store) -> absl::StatusOr<std::vector<storage::MemberRecord>> {
        auto members = store.ListMembers(room, filter, after, limit);
        if (!members.ok() || asker.empty()) return members;
        // Behind the page: it shows no list of which the asker was no member any more.
        auto record = ReadRoomFor(store, room, asker,
                                  filter == storage::MemberFilter::kBanned ? RoomAct::kListBanned
                                                                           : RoomAct::kListMembers);
        if (!record.ok()) return record.status();
        return members;
      },
      std::move(done));
}

void Dispatcher::ListAudit(storage::AuditQuery query,
                           Callback<std::vector<storage::AuditRecord>> done) {
  for (const std::string* id : {&query.room.value, &query.actor.value, &query.subject.value}) {
    if (auto refusal = CheckOptionalKey(*id, "an id")) return done(ToStatus(*std::move(refusal)));
  }
  query.limit = ListLimit(query.limit);
  ReadStore<std::vector<storage::AuditRecord>>(
      *this, [query = std::move(query)](storage::Store& store) { return store.ListAudit(query); },
      std::move(done));
}

void Dispatcher::Change(const char* act, RoomRequest request, RoomId room, Asker asker,
                        Deadline deadline, Reply done) {
  auto command = std::make_unique<RoomCommand>();
  command->request = std::move(request);
  command->append.room = std::move(room);
  command->append.audit = NoteOf(act, asker);
  // A call that is repeated finds all as it asked for, so the key may be new each time.
  command->key = {DedupKey::Space::kService, "members/" + NewUuid7()};
  command->is_repeat_safe = false;
  if (!asker.actor.id.empty()) {
    command->actor = std::make_shared<const Actor>(std::move(asker.actor));
  }
  Submit(std::move(command), std::move(done), deadline);
}

void Dispatcher::UpdateRoom(RoomId room, Asker asker, v1::RoomChanges changes, Deadline deadline,
                            Callback<storage::RoomRecord> done) {
  if (!is_serving()) return done(NotServing());
  if (auto status = CheckRoom(room); !status.ok()) return done(status);
  if (auto status = CheckChanges(changes); !status.ok()) return done(status);
  Change("room.update", UpdateRequest{std::move(changes)}, std::move(room), std::move(asker),
         deadline, std::move(done));
}

void Dispatcher::AddMembers(RoomId room, Asker asker, std::vector<std::pair<UserId, Role>> members,
                            Deadline deadline, Callback<MembersChanged> done) {
  if (!is_serving()) return done(NotServing());
  if (auto status = CheckRoom(room); !status.ok()) return done(status);
  if (auto status = CheckMembers(members); !status.ok()) return done(status);
  Change("member.add", AddRequest{std::move(members)}, std::move(room), std::move(asker), deadline,
         std::move(done));
}

void Dispatcher::RemoveMembers(RoomId room, Asker asker, std::vector<UserId> users,
                               Deadline deadline, Callback<MembersChanged> done) {
  if (!is_serving()) return done(NotServing());
  if (auto status = CheckRoom(room); !status.ok()) return done(status);
  if (auto status = CheckUsers(users); !status.ok()) return done(status);
  Change("member.remove", RemoveRequest{std::move(users)}, std::move(room), std::move(asker),
         deadline, std::move(done));
}

void Dispatcher::ChangeMember(RoomId room, Asker asker, PersonChange change, Deadline deadline,
                              Callback<storage::MemberRecord> done) {
  if (!is_serving()) return done(NotServing());
  if (auto status = CheckRoom(room); !status.ok()) return done(status);
  if (auto status = CheckPerson(change); !status.ok()) return done(status);
  const char* act = ActWordOf(change.kind);
  Change(act, PersonRequest{std::move(change)}, std::move(room), std::move(asker), deadline,
         std::move(done));
}

void Dispatcher::PostAsService(ServicePost post, Deadline deadline, Callback<PostedMessage> done) {
  if (!is_serving()) return done(NotServing());
  auto command = Translate(std::move(post));
  if (!command.ok()) return done(command.status());
  Submit(*std::move(command), std::move(done), deadline);
}

void Dispatcher::ChangeMessage(ServiceChange change, Deadline deadline,
                               Callback<PostedMessage> done) {
  if (!is_serving()) return done(NotServing());
  auto command = Translate(std::move(change));
  if (!command.ok()) return done(command.status());
  Submit(*std::move(command), std::move(done), deadline);
}

void Dispatcher::EraseUser(UserId user, const Asker& asker, EraseProgress progress) {
  absl::Status status = is_serving() ? absl::OkStatus() : NotServing();
  if (status.ok()) {
    if (auto refusal = CheckId(user.value, "user_id")) status = ToStatus(*std::move(refusal));
  }
  if (!status.ok()) {
    progress(std::move(status));
    return;
  }
  std::make_shared<UserEraser>(lanes_, std::move(user), asker, std::move(progress))->Start();
}

void Dispatcher::ListEvents(storage::EventQuery query, Deadline deadline,
                            Callback<storage::EventPage> done) {
  if (!is_serving()) return done(NotServing());
  if (auto status = CheckRoom(query.room); !status.ok()) return done(status);
  if (query.after_seq >= 0 && query.before_seq >= 0) {
    return done(BadRequest("before_seq and after_seq exclude each other"));
  }
  query.limit = PageLimit(query.limit);
  auto command = std::make_unique<RoomCommand>();
  command->append.room = query.room;
  ReadRequest request;
  request.query = std::move(query);
  command->request = std::move(request);
  Submit(std::move(command), std::move(done), deadline);
}

// --- Tails

std::unique_ptr<Tail> Dispatcher::TailEvents(RoomId room, std::optional<int64_t> after_seq,
                                             std::shared_ptr<TailSink> sink) {
  absl::Status status = is_serving() ? CheckRoom(room) : NotServing();
  if (status.ok() && after_seq && *after_seq < 0) status = BadRequest("after_seq is negative");
  if (!status.ok()) {
    sink->End(std::move(status));
    return EndedTail();
  }
  return StartTail(lanes_, std::move(room), after_seq, std::move(sink));
}

// --- Edges

absl::StatusOr<std::shared_ptr<Attachment>> Dispatcher::Attach(EdgeAnnouncement hello,
                                                               std::shared_ptr<EdgeStream> stream) {
  if (!is_serving()) return NotServing();
  auto edge = edges_.Attach(std::move(hello.edge_id), hello.epoch, std::move(stream),
                            std::move(hello.version));
  if (!edge.ok()) return edge;
  std::vector<std::vector<std::unique_ptr<RoomCommand>>> by_lane(lanes_->size());
  for (EdgeAnnouncement::Room& room : hello.rooms) {
    auto command = std::make_unique<RoomCommand>();
    command->edge = *edge;
    command->deadline = Deadline::max();
    AnnounceRequest announce;
    announce.delivered_seq = room.delivered_seq;
    announce.users = std::move(room.users);
    command->request = std::move(announce);
    command->append.room = std::move(room.room);
    by_lane[lanes_->LaneOf(command->room())].push_back(std::move(command));
  }
  UserRoute(*lanes_, *edge).Announce(std::move(hello.connections));
  for (size_t lane = 0; lane < by_lane.size(); ++lane) {
    lanes_->Submit(lane, std::move(by_lane[lane]));
  }
  return edge;
}

void Dispatcher::Dispatch(const std::shared_ptr<Attachment>& edge, std::vector<EdgeInput> inputs) {
  const Deadline now = Clock::now();
  std::vector<std::vector<std::unique_ptr<RoomCommand>>> by_lane(lanes_->size());
  const auto refuse = [&](EdgeReply asked, const absl::Status& why) {
    v1::ControlItem item;
    item.mutable_result()->set_connection(asked.connection);
    item.mutable_result()->set_request(asked.request);
    *item.mutable_result()->mutable_error() = ErrorOf(why);
    edge->stream().Send(absl::MakeSpan(&item, 1));
  };
  UserRoute users(*lanes_, edge);
  for (EdgeInput& input : inputs) {
    if (is_serving() && users.Take(input)) continue;
    if (const auto* report = std::get_if<v1::NotificationReport>(&input)) {
      lanes_->PostNotifications(report->report() % lanes_->size(),
                                [edge, report = *report](NotificationLane& notifications) {
                                  notifications.OnReport(*edge, report);
                                });
      continue;
    }
    if (auto* release = std::get_if<v1::TopicReleased>(&input)) {
      if (release->topic().compare(0, sizeof(kTopicPrefix) - 1, kTopicPrefix) != 0) continue;
      RoomId room(release->topic().substr(sizeof(kTopicPrefix) - 1));
      const size_t lane = lanes_->LaneOf(room);
      users.Submit();
      lanes_->Submit(lane, std::exchange(by_lane[lane], {}));  // What came before goes first.
      lanes_->Post(lane, [edge, room = std::move(room), seen = release->subscribes_seen()](
                             RoomLane& rooms) { rooms.Release(*edge, room, seen); });
      continue;
    }
    auto* asked = std::get_if<EdgeCommand>(&input);
    if (asked == nullptr) continue;  // Of a connection, while control stops: the edge says it anew.
    EdgeCommand& command = *asked;
    const EdgeReply reply{command.command.connection(), command.command.request()};
    if (!is_serving()) {
      refuse(reply, NotServing());
      continue;
    }
    if (!edge->Admit()) {
      refuse(reply, RefusalStatus(v1::REASON_UNAVAILABLE,
                                  fmt::format("this edge has {} commands under way; try again",
                                              Attachment::kCommandsLimit),
                                  CommitQueue::kRetryAfterMs));
      continue;
    }
    if (AnswerRead(*this, edge, command)) continue;
    if (AnswerNotification(*this, edge, command, now)) continue;
    auto translated = Translate(std::move(command), edge, now, options_.command_deadline);
    if (!translated.ok()) {
      edge->Release();
      refuse(reply, translated.status());
      continue;
    }
    const size_t lane = lanes_->LaneOf((*translated)->room());
    by_lane[lane].push_back(*std::move(translated));
  }
  users.Submit();
  for (size_t lane = 0; lane < by_lane.size(); ++lane) {
    lanes_->Submit(lane, std::move(by_lane[lane]));
  }
}

void Dispatcher::Detach(const std::shared_ptr<Attachment>& edge) {
  edge->MarkDetached();
  edges_.Detach(*edge);
  recoveries_.Detach(*edge, Clock::now());
  for (size_t lane = 0; lane < lanes_->size(); ++lane) {
    lanes_->Post(lane, [edge](RoomLane& rooms) { rooms.Detach(*edge); });
    lanes_->PostToUsers(lane, [edge](UserLane& users) { users.Detach(*edge); });
    lanes_->PostNotifications(
        lane, [edge](NotificationLane& notifications) { notifications.Detach(*edge); });
  }
}

}  // namespace confab::control
