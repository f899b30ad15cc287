// control_dial.h: how a channel to control is secured: not at all (loopback, a Unix socket), or by
// mutual TLS.
// Threads: any thread.
#pragma once

#include <memory>
#include <string_view>

#include <absl/status/status.h>
#include <grpcpp/security/credentials.h>

#include "process/tls_material.h"

namespace confab::edge {

// How edges and confabctl name the options: --control-tls-cert, --control-tls-key, --control-tls-ca.
process::TlsFlags DialTlsFlags();

// INVALID_ARGUMENT: `target` is neither unix:PATH nor HOST:PORT; with TLS any host, else loopback.
absl::Status CheckControlTarget(std::string_view target, bool has_tls);

// `tls` may be null, and is not looked at for a Unix socket; it outlives the channels. Control must
// show a certificate of the authority that names the host as dialled.
std::shared_ptr<grpc::ChannelCredentials> ControlCredentials(std::string_view target,
                                                             const process::TlsMaterial* tls);

}  // namespace confab::edge
