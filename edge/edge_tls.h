// edge_tls.h: certificate and key of the public port, from the options to the log and the figures.
#pragma once

#include <memory>

#include <absl/status/statusor.h>

#include "edge/edge_config.h"
#include "edge/transport/tls_session.h"

namespace confab::edge {

struct EdgeMetrics;

// Null where none are configured, or only one of the two, which is Validate's to refuse.
// NOT_FOUND, INVALID_ARGUMENT name the option and the file.
absl::StatusOr<std::shared_ptr<const TlsKeys>> LoadEdgeTls(const EdgeConfig& config);

// Logs what clients are shown from now on, with a warning where they will refuse it; null: nothing.
void ShowEdgeTls(const TlsKeys* keys, EdgeMetrics& metrics);

}  // namespace confab::edge
