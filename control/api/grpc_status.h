// grpc_status.h: the gRPC form of a refusal: code, message and google.rpc details.
// Threads: immutable; any thread.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

namespace confab::control {

// The code of the reason's table row, ErrorInfo{reason, domain "confab"} in the details, and
// RetryInfo where a time is known. OK becomes OK.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace confab::control
