#include "control/api/message_service.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "control/api/response_stream.h"
#include "control/api/tail_stream.h"
#include "control/dispatch/dispatcher.h"
#include "control/room/event_message.h"
#include "control/status_reason.h"

namespace confab::control {
namespace {

using storage::RoomId;

constexpr uint32_t kPageDefault = 50;
constexpr uint32_t kPageLimit = 500;  // DESIGN section 7: history and resume page.
constexpr char kTailEvents[] = "/confab.v1.MessageService/TailEvents";
constexpr char kExportRoom[] = "/confab.v1.MessageService/ExportRoom";
constexpr char kEraseUser[] = "/confab.v1.MessageService/EraseUser";

// A user that a service acts as. An empty id would be the system.
absl::StatusOr<storage::Actor> ActorOf(const v1::User& user, std::string_view field) {
  if (user.id().empty()) {
    return RefusalStatus(v1::REASON_BAD_REQUEST,
                         fmt::format("{0}.id is empty; leave {0} out to act as the system", field));
  }
  storage::Actor actor;
  actor.id = storage::UserId(user.id());
  actor.name = user.name();
  return actor;
}

std::vector<storage::UserId> UsersOf(const google::protobuf::RepeatedPtrField<std::string>& ids) {
  std::vector<storage::UserId> users;
  for (const std::string& id : ids) users.emplace_back(id);
  return users;
}

absl::StatusOr<storage::EventQuery> QueryOf(const v1::ListEventsRequest& request) {
  if (request.has_before_seq() + request.has_after_seq() + request.has_since() +
          request.has_until() >
      1) {
    return RefusalStatus(v1::REASON_BAD_REQUEST,
                         "before_seq, after_seq, since and until exclude each other");
  }
  if (request.before_seq() < 0 || request.after_seq() < 0) {
    return RefusalStatus(v1::REASON_BAD_REQUEST, "before_seq and after_seq are 0 or greater");
  }
  storage::EventQuery query;
  query.room = RoomId(request.room_id());
  if (request.has_before_seq()) query.before_seq = request.before_seq();
  if (request.has_after_seq()) query.after_seq = request.after_seq();
  if (request.has_since()) query.since = TimeOf(request.since());
  if (request.has_until()) query.until = TimeOf(request.until());
  query.limit = static_cast<int32_t>(
      std::min(request.limit() == 0 ? kPageDefault : request.limit(), kPageLimit));
  return query;
}

// Reads a room's log page by page, each when the one before is written.
class RoomExport : public std::enable_shared_from_this<RoomExport> {
 public:
  using Sink = ResponseSink<v1::ExportRoomResponse>;

  RoomExport(Dispatcher& dispatcher, RoomId room, int64_t after_seq, std::shared_ptr<Sink> sink)
      : dispatcher_(dispatcher), sink_(std::move(sink)) {
    query_.room = std::move(room);
    query_.after_seq = after_seq;
    query_.limit = kPageLimit;
  }

  void Next() {
    dispatcher_.ListEvents(query_, std::chrono::steady_clock::now() + kPageDeadline,
                           [self = shared_from_this()](absl::StatusOr<storage::EventPage> page) {
                             self->OnPage(std::move(page));
                           });
  }

 private:
  static constexpr auto kPageDeadline = std::chrono::seconds(5);

  void OnPage(absl::StatusOr<storage::EventPage> page) {
    if (!page.ok()) return sink_->End(page.status());
    if (end_seq_ < 0) end_seq_ = page->last_seq;
    v1::ExportRoomResponse response;
    response.set_last_seq(end_seq_);
    for (storage::EventRecord& event : page->events) {
      if (event.seq > end_seq_) break;
      query_.after_seq = event.seq;
      *response.add_events() = MakeEvent(event);
    }
    const bool is_done = response.events().empty() || query_.after_seq >= end_seq_;
    if (!response.events().empty()) sink_->Write(std::move(response));
    if (is_done) sink_->End(absl::OkStatus());
  }

  Dispatcher& dispatcher_;
  const std::shared_ptr<Sink> sink_;
  storage::EventQuery query_;
  int64_t end_seq_ = -1;  // The newest event when the first page was read.
};

}  // namespace

grpc::ServerUnaryReactor* MessageService::PostMessage(grpc::CallbackServerContext* context,
                                                      const v1::PostMessageRequest* request,
                                                      v1::PostMessageResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.MessageService/PostMessage");
  if (!call.is_admitted()) return call.reactor();
  ServicePost post;
  post.room = RoomId(request->room_id());
  if (request->has_sender()) {
    absl::StatusOr<storage::Actor> sender = ActorOf(request->sender(), "sender");
    if (!sender.ok()) return call.Finish(sender.status());
    post.sender = *std::move(sender);
  }
  post.service = call.caller().name;
  post.idempotency_key = request->idempotency_key();
  post.type = request->type();
  post.content = request->content();
  post.reply_to = request->reply_to();
  post.body = request->body_json();
  post.mentions = UsersOf(request->mentions());
  parts_.dispatcher.PostAsService(
      std::move(post), DeadlineOf(*context),
      call.Answer<PostedMessage>([response](const PostedMessage& posted) {
        response->set_message_id(posted.message_id);
        response->set_seq(posted.seq);
        *response->mutable_created_at() = ToMessage(posted.created_at);
      }));
  return call.reactor();
}

grpc::ServerUnaryReactor* MessageService::EditMessage(grpc::CallbackServerContext* context,
                                                      const v1::EditMessageRequest* request,
                                                      v1::EditMessageResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.MessageService/EditMessage");
  if (!call.is_admitted()) return call.reactor();
  ServiceChange change;
  change.asker = call.asker();
  change.room = RoomId(request->room_id());
  change.message_id = request->message_id();
  if (request->has_editor()) {
    absl::StatusOr<storage::Actor> editor = ActorOf(request->editor(), "editor");
    if (!editor.ok()) return call.Finish(editor.status());
    change.actor = *std::move(editor);
  }
  change.content = request->content();
  change.body = request->body_json();
  change.mentions = UsersOf(request->mentions());
  parts_.dispatcher.ChangeMessage(std::move(change), DeadlineOf(*context),
                                  call.Answer<PostedMessage>([response](const PostedMessage& done) {
                                    response->set_seq(done.seq);
                                    *response->mutable_created_at() = ToMessage(done.created_at);
                                  }));
  return call.reactor();
}

grpc::ServerUnaryReactor* MessageService::DeleteMessage(grpc::CallbackServerContext* context,
                                                        const v1::DeleteMessageRequest* request,
                                                        v1::DeleteMessageResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.MessageService/DeleteMessage");
  if (!call.is_admitted()) return call.reactor();
  ServiceChange change;
  change.is_deletion = true;
  change.asker = call.asker();
  change.room = RoomId(request->room_id());
  change.message_id = request->message_id();
  if (request->has_deleter()) {
    absl::StatusOr<storage::Actor> deleter = ActorOf(request->deleter(), "deleter");
    if (!deleter.ok()) return call.Finish(deleter.status());
    change.actor = *std::move(deleter);
  }
  parts_.dispatcher.ChangeMessage(std::move(change), DeadlineOf(*context),
                                  call.Answer<PostedMessage>([response](const PostedMessage& done) {
                                    response->set_seq(done.seq);
                                    *response->mutable_created_at() = ToMessage(done.created_at);
                                  }));
  return call.reactor();
}

grpc::ServerWriteReactor<v1::ExportRoomResponse>* MessageService::ExportRoom(
    grpc::CallbackServerContext* context, const v1::ExportRoomRequest* request) {
  auto* stream = new ResponseStream<v1::ExportRoomResponse>(
      [metrics = &parts_.metrics](const absl::Status& status) {
        CountCall(*metrics, kExportRoom, status);
      });
  const absl::StatusOr<ServiceIdentity> caller = parts_.admission.Admit(*context, kExportRoom);
  if (!caller.ok()) {
    stream->sink()->End(caller.status());
  } else if (request->after_seq() < 0) {
    stream->sink()->End(RefusalStatus(v1::REASON_BAD_REQUEST, "after_seq is 0 or greater"));
  } else {
    auto pages = std::make_shared<RoomExport>(parts_.dispatcher, RoomId(request->room_id()),
                                              request->after_seq(), stream->sink());
    stream->OnIdle([pages] { pages->Next(); });
    pages->Next();
  }
  return stream;
}

grpc::ServerWriteReactor<v1::EraseUserResponse>* MessageService::EraseUser(
    grpc::CallbackServerContext* context, const v1::EraseUserRequest* request) {
  auto* stream = new ResponseStream<v1::EraseUserResponse>(
      [metrics = &parts_.metrics](const absl::Status& status) {
        CountCall(*metrics, kEraseUser, status);
      });
  const absl::StatusOr<ServiceIdentity> caller = parts_.admission.Admit(*context, kEraseUser);
  if (!caller.ok()) {
    stream->sink()->End(caller.status());
    return stream;
  }
  parts_.dispatcher.EraseUser(storage::UserId(request->user_id()), AskerOf(*caller, *context),
                              [sink = stream->sink()](absl::StatusOr<EraseReport> report) {
                                if (!report.ok()) {
                                  sink->End(report.status());
                                  return false;
                                }
                                v1::EraseUserResponse response;
                                response.set_rooms(report->rooms);
                                response.set_rooms_total(report->rooms_total);
                                response.set_messages(report->messages);
                                response.set_done(report->is_done);
                                const bool is_wanted = sink->Write(std::move(response));
                                if (report->is_done) sink->End(absl::OkStatus());
                                return is_wanted;
                              });
  return stream;
}

grpc::ServerUnaryReactor* MessageService::SetRetention(grpc::CallbackServerContext* context,
                                                       const v1::SetRetentionRequest* request,
                                                       v1::SetRetentionResponse* /*response*/) {
  const UnaryCall call(parts_, context, "/confab.v1.MessageService/SetRetention");
  if (!call.is_admitted()) return call.reactor();
  parts_.dispatcher.SetRetention(
      RoomId(request->room_id()),
      {absl::Seconds(request->retention().max_age_seconds()), request->retention().max_messages()},
      call.asker(), DeadlineOf(*context),
      call.Answer<storage::Retention>([](storage::Retention) {}));
  return call.reactor();
}

grpc::ServerUnaryReactor* MessageService::ListEvents(grpc::CallbackServerContext* context,
                                                     const v1::ListEventsRequest* request,
                                                     v1::ListEventsResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.MessageService/ListEvents");
  if (!call.is_admitted()) return call.reactor();
  absl::StatusOr<storage::EventQuery> query = QueryOf(*request);
  if (!query.ok()) return call.Finish(query.status());
  parts_.dispatcher.ListEvents(*std::move(query), DeadlineOf(*context),
                               call.Answer<storage::EventPage>([response](storage::EventPage page) {
                                 for (storage::EventRecord& event : page.events)
                                   *response->add_events() = MakeEvent(event);
                                 response->set_more(page.more);
                                 response->set_last_seq(page.last_seq);
                               }));
  return call.reactor();
}

grpc::ServerWriteReactor<v1::TailEventsResponse>* MessageService::TailEvents(
    grpc::CallbackServerContext* context, const v1::TailEventsRequest* request) {
  auto* stream = new TailStream([metrics = &parts_.metrics](const absl::Status& status) {
    CountCall(*metrics, kTailEvents, status);
  });
  const absl::StatusOr<ServiceIdentity> caller = parts_.admission.Admit(*context, kTailEvents);
  if (!caller.ok()) {
    stream->Refuse(caller.status());
  } else if (request->after_seq() < 0) {
    stream->Refuse(RefusalStatus(v1::REASON_BAD_REQUEST, "after_seq is 0 or greater"));
  } else {
    stream->Follow(parts_.dispatcher.TailEvents(
        RoomId(request->room_id()),
        request->has_after_seq() ? std::optional(request->after_seq()) : std::nullopt,
        stream->sink()));
  }
  return stream;
}

}  // namespace confab::control
