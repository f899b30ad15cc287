// event_feed_service.h: EventFeedService over gRPC: translates and asks the dispatcher; no rules.
// Used by: control.cc.
// Threads: any thread (gRPC's call in, readers and lanes answer).
// Fails: every refusal is a gRPC status with its reason in the details.
#pragma once

#include "confab/v1/event_feed_service.grpc.pb.h"

#include "control/api/unary_call.h"

namespace confab::control {

class EventFeedService final : public v1::EventFeedService::CallbackService {
 public:
  explicit EventFeedService(const ApiParts& parts) : parts_(parts) {}

  grpc::ServerWriteReactor<v1::ReadFeedResponse>* ReadFeed(
      grpc::CallbackServerContext* context, const v1::ReadFeedRequest* request) override;
  grpc::ServerUnaryReactor* CommitFeedCursor(grpc::CallbackServerContext* context,
                                             const v1::CommitFeedCursorRequest* request,
                                             v1::CommitFeedCursorResponse* response) override;
  grpc::ServerUnaryReactor* ListFeedConsumers(grpc::CallbackServerContext* context,
                                              const v1::ListFeedConsumersRequest* request,
                                              v1::ListFeedConsumersResponse* response) override;
  grpc::ServerUnaryReactor* DeleteFeedConsumer(grpc::CallbackServerContext* context,
                                               const v1::DeleteFeedConsumerRequest* request,
                                               v1::DeleteFeedConsumerResponse* response) override;

 private:
  const ApiParts parts_;
};

}  // namespace confab::control
