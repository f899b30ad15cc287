// edge_service.h: EdgeService over gRPC: translates and asks; no rules.
// Used by: control.cc.
// Threads: any thread (gRPC's).
// Fails: every refusal is a gRPC status with its reason in the details.
#pragma once

#include <string>
#include <utility>

#include "confab/v1/edge_service.grpc.pb.h"

#include "control/api/unary_call.h"
#include "control/dispatch/edge_calls.h"

namespace confab::control {

class EdgeService final : public v1::EdgeService::CallbackService {
 public:
  // `edge_within`: name of the edge in this process; empty: there is none.
  EdgeService(const ApiParts& parts, std::string edge_within)
      : parts_(parts), calls_(parts.dispatcher), edge_within_(std::move(edge_within)) {}

  grpc::ServerUnaryReactor* ListEdges(grpc::CallbackServerContext* context,
                                      const v1::ListEdgesRequest* request,
                                      v1::ListEdgesResponse* response) override;
  grpc::ServerUnaryReactor* DrainEdge(grpc::CallbackServerContext* context,
                                      const v1::DrainEdgeRequest* request,
                                      v1::DrainEdgeResponse* response) override;

 private:
  const ApiParts parts_;
  EdgeCalls calls_;
  const std::string edge_within_;
};

}  // namespace confab::control
