// notification_service.h: NotificationService over gRPC: translates and asks the dispatcher; no rules.
// Used by: control.cc.
// Threads: any thread (gRPC's call in, lanes answer).
// Fails: every refusal is a gRPC status with its reason in the details; of a batch or stream an
// Error with it.
#pragma once

#include "confab/v1/notification_service.grpc.pb.h"

#include "control/api/unary_call.h"

namespace confab::control {

class NotificationService final : public v1::NotificationService::CallbackService {
 public:
  explicit NotificationService(const ApiParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* Notify(grpc::CallbackServerContext* context,
                                   const v1::NotifyRequest* request,
                                   v1::NotifyResponse* response) override;
  grpc::ServerUnaryReactor* NotifyBatch(grpc::CallbackServerContext* context,
                                        const v1::NotifyBatchRequest* request,
                                        v1::NotifyBatchResponse* response) override;
  grpc::ServerReadReactor<v1::NotifyStreamRequest>* NotifyStream(
      grpc::CallbackServerContext* context, v1::NotifyStreamResponse* response) override;

 private:
  const ApiParts parts_;
};

}  // namespace confab::control
