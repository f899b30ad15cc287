// presence_service.h: PresenceService over gRPC: translates and asks; no rules.
// Used by: control.cc.
// Threads: any thread (gRPC's call in, lanes answer).
// Fails: every refusal is a gRPC status with its reason in the details.
#pragma once

#include "confab/v1/presence_service.grpc.pb.h"

#include "control/api/unary_call.h"
#include "control/dispatch/presence_calls.h"

namespace confab::control {

class PresenceService final : public v1::PresenceService::CallbackService {
 public:
  explicit PresenceService(const ApiParts& parts) : parts_(parts), calls_(parts.dispatcher) {}

  grpc::ServerUnaryReactor* GetPresence(grpc::CallbackServerContext* context,
                                        const v1::GetPresenceRequest* request,
                                        v1::GetPresenceResponse* response) override;
  grpc::ServerUnaryReactor* ListPresence(grpc::CallbackServerContext* context,
                                         const v1::ListPresenceRequest* request,
                                         v1::ListPresenceResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchPresenceResponse>* WatchPresence(
      grpc::CallbackServerContext* context, const v1::WatchPresenceRequest* request) override;

 private:
  const ApiParts parts_;
  PresenceCalls calls_;
};

}  // namespace confab::control
