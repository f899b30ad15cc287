// edge_dial.cc: the one way from Edge to gRPC, so that edge.cc can be tested without it.
#include <utility>

#include "edge/control_link/grpc_control_link.h"
#include "edge/edge.h"

namespace confab::edge {

Edge::Edge(EdgeConfig config, process::Metrics& metrics, std::shared_ptr<grpc::Channel> channel)
    : Edge(std::move(config), metrics,
           LinkMaker([channel = std::move(channel)](const EdgeConfig& checked) {
             return DialControl({.targets = checked.control,
                                 .service_secret_file = checked.service_secret_file,
                                 .tls = checked.control_tls},
                                channel);
           })) {}

}  // namespace confab::edge
