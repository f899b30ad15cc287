// edge_link_service.h: EdgeLinkService.Attach: lets edges in and gives each its stream.
// Owns: nothing; an AttachedEdge owns itself.   Used by: control.cc.
// Threads: any thread (gRPC's).
// Fails: UNAVAILABLE while this control is not active; what `admit` answers.
#pragma once

#include <functional>
#include <string>

#include <absl/status/status.h>
#include <grpcpp/server_context.h>

#include "confab/v1/edge_link.grpc.pb.h"

#include "control/dispatch/dispatcher.h"
#include "control/edge_link/attached_edge.h"

namespace confab::control {

class EdgeLinkService final : public v1::EdgeLinkService::CallbackService {
 public:
  // Whether the caller may attach: whoever does may assert any user.
  using Admit = std::function<absl::Status(const grpc::CallbackServerContext&)>;

  using AdmitService = AttachedEdge::AdmitService;

  // `dispatcher` outlives all streams. `control_id` names this process to edges.
  EdgeLinkService(Dispatcher& dispatcher, std::string control_id, Admit admit,
                  AdmitService admit_service);

  grpc::ServerBidiReactor<v1::AttachRequest, v1::AttachResponse>* Attach(
      grpc::CallbackServerContext* context) override;

 private:
  Dispatcher& dispatcher_;
  const std::string control_id_;
  const Admit admit_;
  const AdmitService admit_service_;
};

}  // namespace confab::control
