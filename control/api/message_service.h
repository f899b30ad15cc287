// message_service.h: MessageService over gRPC: translates and asks the dispatcher; no rules.
// Used by: control.cc.
// Threads: any thread (gRPC's call in, lanes answer).
// Fails: every refusal is a gRPC status with its reason in the details.
#pragma once

#include "confab/v1/message_service.grpc.pb.h"

#include "control/api/unary_call.h"

namespace confab::control {

class MessageService final : public v1::MessageService::CallbackService {
 public:
  explicit MessageService(const ApiParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* PostMessage(grpc::CallbackServerContext* context,
                                        const v1::PostMessageRequest* request,
                                        v1::PostMessageResponse* response) override;
  grpc::ServerUnaryReactor* EditMessage(grpc::CallbackServerContext* context,
                                        const v1::EditMessageRequest* request,
                                        v1::EditMessageResponse* response) override;
  grpc::ServerUnaryReactor* DeleteMessage(grpc::CallbackServerContext* context,
                                          const v1::DeleteMessageRequest* request,
                                          v1::DeleteMessageResponse* response) override;
  grpc::ServerWriteReactor<v1::ExportRoomResponse>* ExportRoom(
      grpc::CallbackServerContext* context, const v1::ExportRoomRequest* request) override;
  grpc::ServerWriteReactor<v1::EraseUserResponse>* EraseUser(
      grpc::CallbackServerContext* context, const v1::EraseUserRequest* request) override;
  grpc::ServerUnaryReactor* SetRetention(grpc::CallbackServerContext* context,
                                         const v1::SetRetentionRequest* request,
                                         v1::SetRetentionResponse* response) override;
  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context,
                                       const v1::ListEventsRequest* request,
                                       v1::ListEventsResponse* response) override;
  grpc::ServerWriteReactor<v1::TailEventsResponse>* TailEvents(
      grpc::CallbackServerContext* context, const v1::TailEventsRequest* request) override;

 private:
  const ApiParts parts_;
};

}  // namespace confab::control
