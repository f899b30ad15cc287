// grpc_control_link.h: the control link over gRPC: one stream, opened again whenever it is lost.
// Threads: any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "edge/control_link/control_link.h"
#include "process/tls_material.h"

namespace grpc {
class Channel;
}

namespace confab::edge {

struct LinkOptions {
  std::vector<std::string> targets;  // unix:PATH or HOST:PORT; tried in turn.
  // The edge mints its own tokens with scope edge; may be empty where none is asked for.
  std::string service_secret_file;
  process::TlsFiles tls = {};  // For HOST:PORT; none: only loopback is dialled.
  // A control that has not taken a batch for so long is not there, though its kernel still is.
  // Keepalive and its time-out, as for one that is silent.
  std::chrono::milliseconds stall_time = std::chrono::seconds(15);
};

// `channel`: into control of this process, then the options are not looked at; may be null.
// INVALID_ARGUMENT, NOT_FOUND: the options.
absl::StatusOr<std::unique_ptr<ControlLink>> DialControl(const LinkOptions& options,
                                                         std::shared_ptr<grpc::Channel> channel);

}  // namespace confab::edge
