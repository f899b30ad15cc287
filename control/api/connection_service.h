// connection_service.h: ConnectionService over gRPC: translates and asks; no rules.
// Used by: control.cc.
// Threads: any thread (gRPC's call in, lanes answer).
// Fails: every refusal is a gRPC status with its reason in the details.
#pragma once

#include "confab/v1/connection_service.grpc.pb.h"

#include "control/api/unary_call.h"
#include "control/dispatch/presence_calls.h"

namespace confab::control {

class ConnectionService final : public v1::ConnectionService::CallbackService {
 public:
  explicit ConnectionService(const ApiParts& parts) : parts_(parts), calls_(parts.dispatcher) {}

  grpc::ServerUnaryReactor* ListConnections(grpc::CallbackServerContext* context,
                                            const v1::ListConnectionsRequest* request,
                                            v1::ListConnectionsResponse* response) override;
  grpc::ServerUnaryReactor* KickConnections(grpc::CallbackServerContext* context,
                                            const v1::KickConnectionsRequest* request,
                                            v1::KickConnectionsResponse* response) override;

 private:
  const ApiParts parts_;
  PresenceCalls calls_;
};

}  // namespace confab::control
