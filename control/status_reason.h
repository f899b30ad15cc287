// status_reason.h: absl::Status <-> the reason word a caller sees. The only table of it on this
// side of gRPC; api/grpc_status carries the result into a grpc::Status.
// Threads: immutable; any thread.
#pragma once

#include <cstdint>
#include <string>

#include <absl/status/status.h>

#include "confab/v1/types.pb.h"

namespace confab::control {

// A refusal: the canonical code of `reason`, which travels in the payload with `message` and
// `retry_after_ms`.
absl::Status RefusalStatus(v1::Reason reason, std::string message, uint32_t retry_after_ms = 0);

// What the caller is told. A status without the payload (the store's, for one) is mapped by its
// code and gets a message of ours: its own may name hosts or tables and belongs in the log.
// REQUIRES: !status.ok().
v1::Error ErrorOf(const absl::Status& status);

// ErrorOf(status).reason(). REQUIRES: !status.ok().
v1::Reason ReasonOf(const absl::Status& status);

}  // namespace confab::control
