#include "control/api/edge_service.h"

#include <cstdint>

#include "control/room/event_message.h"
#include "process/log.h"

namespace confab::control {

namespace {

void Fill(const Attachment& edge, v1::EdgeState& state) {
  state.set_edge_id(edge.edge_id());
  state.set_version(edge.version());
  // An edge's epoch is when it was started.
  *state.mutable_started_at() =
      ToMessage(absl::FromUnixMicros(static_cast<std::int64_t>(edge.epoch())));
  *state.mutable_attached_at() = ToMessage(edge.attached_at());
  state.set_connection_count(edge.sockets());
  state.set_is_draining(edge.is_draining());
}

}  // namespace

grpc::ServerUnaryReactor* EdgeService::ListEdges(grpc::CallbackServerContext* context,
                                                 const v1::ListEdgesRequest*,
                                                 v1::ListEdgesResponse* response) {
  const UnaryCall call(parts_, context, "/confab.v1.EdgeService/ListEdges");
  if (!call.is_admitted()) return call.reactor();
  const auto edges = calls_.List();
  if (!edges.ok()) return call.Finish(edges.status());
  for (const auto& edge : *edges) {
    v1::EdgeState& state = *response->add_edges();
    Fill(*edge, state);
    state.set_is_within_control(edge->edge_id() == edge_within_);
  }
  return call.Finish(absl::OkStatus());
}

grpc::ServerUnaryReactor* EdgeService::DrainEdge(grpc::CallbackServerContext* context,
                                                 const v1::DrainEdgeRequest* request,
                                                 v1::DrainEdgeResponse*) {
  const UnaryCall call(parts_, context, "/confab.v1.EdgeService/DrainEdge");
  if (!call.is_admitted()) return call.reactor();
  calls_.Drain(
      request->edge_id(), absl::Milliseconds(request->drain_ms()), call.asker(),
      DeadlineOf(*context),
      call.Answer<EdgeTold>([edge = request->edge_id(), service = call.caller().name](EdgeTold) {
        process::LogInfo("an edge is to drain", {{"edge", edge}, {"service", service}});
      }));
  return call.reactor();
}

}  // namespace confab::control
