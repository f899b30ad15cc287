#include "control/api/message_service.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

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

absl::StatusOr<storage::EventQuery> QueryOf(const v1::ListEventsRequest& request) {
  if (request.has_before_seq() && request.has_after_seq()) {
    return RefusalStatus(v1::REASON_BAD_REQUEST, "before_seq and after_seq exclude each other");
  }
  if (request.before_seq() < 0 || request.after_seq() < 0) {
    return RefusalStatus(v1::REASON_BAD_REQUEST, "before_seq and after_seq are 0 or greater");
  }
  storage::EventQuery query;
  query.room = RoomId(request.room_id());
  if (request.has_before_seq()) query.before_seq = request.before_seq();
  if (request.has_after_seq()) query.after_seq = request.after_seq();
  query.limit = static_cast<int32_t>(
      std::min(request.limit() == 0 ? kPageDefault : request.limit(), kPageLimit));
  return query;
}

}  // namespace

grpc::ServerUnaryReactor* MessageService::PostMessage(grpc::CallbackServerContext* context,
                                                      const v1::PostMessageRequest* request,
                                                      v1::PostMessageResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.MessageService/PostMessage");
  if (!call.is_admitted()) return call.reactor();
  ServicePost post;
  post.room = RoomId(request->room_id());
  if (request->has_sender()) {
    post.sender.emplace();
    post.sender->id = storage::UserId(request->sender().id());
    post.sender->name = request->sender().name();
    if (post.sender->id.empty()) {
      return call.Finish(RefusalStatus(
          v1::REASON_BAD_REQUEST, "sender.id is empty; leave sender out to post as the system"));
    }
  }
  post.service = call.caller().name;
  post.idempotency_key = request->idempotency_key();
  post.type = request->type();
  post.content = request->content();
  post.reply_to = request->reply_to();
  parts_.dispatcher.PostAsService(
      std::move(post), DeadlineOf(*context),
      call.Answer<PostedMessage>([response](const PostedMessage& posted) {
        response->set_message_id(posted.message_id);
        response->set_seq(posted.seq);
        *response->mutable_created_at() = ToMessage(posted.created_at);
      }));
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
