// admin_service.h: AdminService over gRPC: translates and asks the dispatcher; no rules.
// Used by: control.cc.
// Threads: any thread (gRPC's call in, reader threads answer).
// Fails: every refusal is a gRPC status with its reason in the details.
#pragma once

#include "confab/v1/admin_service.grpc.pb.h"

#include "control/api/unary_call.h"

namespace confab::control {

class AdminService final : public v1::AdminService::CallbackService {
 public:
  explicit AdminService(const ApiParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* ListAudit(grpc::CallbackServerContext* context,
                                      const v1::ListAuditRequest* request,
                                      v1::ListAuditResponse* response) override;

 private:
  const ApiParts parts_;
};

}  // namespace confab::control
