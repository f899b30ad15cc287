#include "control/api/event_feed_service.h"

#include <utility>
#include <vector>

#include "control/api/feed_stream.h"
#include "control/dispatch/feed_calls.h"
#include "control/dispatch/feed_page.h"
#include "control/room/event_message.h"

namespace confab::control {
namespace {

constexpr char kReadFeed[] = "/confab.v1.EventFeedService/ReadFeed";

}  // namespace

grpc::ServerWriteReactor<v1::ReadFeedResponse>* EventFeedService::ReadFeed(
    grpc::CallbackServerContext* context, const v1::ReadFeedRequest* request) {
  const absl::StatusOr<ServiceIdentity> caller = parts_.admission.Admit(*context, kReadFeed);
  auto* stream = new FeedStream(FeedCalls(parts_.dispatcher), *request,
                                [metrics = &parts_.metrics](const absl::Status& status) {
                                  CountCall(*metrics, kReadFeed, status);
                                });
  stream->Start(caller.status());
  return stream;
}

grpc::ServerUnaryReactor* EventFeedService::CommitFeedCursor(
    grpc::CallbackServerContext* context, const v1::CommitFeedCursorRequest* request,
    v1::CommitFeedCursorResponse* /*response*/) {
  const UnaryCall call(parts_, context, "/confab.v1.EventFeedService/CommitFeedCursor");
  if (!call.is_admitted()) return call.reactor();
  FeedCalls(parts_.dispatcher)
      .CommitCursor(request->consumer(), request->position(), DeadlineOf(*context),
                    call.Answer<FeedDone>([](FeedDone) {}));
  return call.reactor();
}

grpc::ServerUnaryReactor* EventFeedService::ListFeedConsumers(
    grpc::CallbackServerContext* context, const v1::ListFeedConsumersRequest* /*request*/,
    v1::ListFeedConsumersResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.EventFeedService/ListFeedConsumers");
  if (!call.is_admitted()) return call.reactor();
  FeedCalls(parts_.dispatcher)
      .ListCursors(call.Answer<std::vector<storage::FeedCursor>>(
          [response](const std::vector<storage::FeedCursor>& cursors) {
            for (const storage::FeedCursor& cursor : cursors) {
              v1::FeedConsumer& consumer = *response->add_consumers();
              consumer.set_consumer(cursor.consumer);
              consumer.set_position(ToText(cursor.position));
              *consumer.mutable_committed_at() = ToMessage(cursor.committed_at);
            }
          }));
  return call.reactor();
}

grpc::ServerUnaryReactor* EventFeedService::DeleteFeedConsumer(
    grpc::CallbackServerContext* context, const v1::DeleteFeedConsumerRequest* request,
    v1::DeleteFeedConsumerResponse* /*response*/) {
  const UnaryCall call(parts_, context, "/confab.v1.EventFeedService/DeleteFeedConsumer");
  if (!call.is_admitted()) return call.reactor();
  FeedCalls(parts_.dispatcher)
      .DeleteCursor(request->consumer(), DeadlineOf(*context),
                    call.Answer<FeedDone>([](FeedDone) {}));
  return call.reactor();
}

}  // namespace confab::control
