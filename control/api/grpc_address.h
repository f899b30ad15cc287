// grpc_address.h: reads --control-listen and --control, and refuses what strangers could reach
// without TLS.
// Threads: immutable values; any thread.
#pragma once

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace confab::control {

struct GrpcAddress {
  bool is_unix = false;
  std::string path;  // Of a Unix socket.
  std::string host;  // Without brackets; "localhost" is kept as written.
  int port = 0;      // 0: any free port.

  // As gRPC takes it: "unix:PATH", "127.0.0.1:8081", "[::1]:8081".
  std::string ToString() const;
};

// "unix:PATH" (at most 107 bytes, a limit of the kernel) or "HOST:PORT"; without TLS the HOST must
// be loopback.
// INVALID_ARGUMENT: names the flag, what is wrong with the text and what is allowed.
absl::StatusOr<GrpcAddress> ParseGrpcAddress(std::string_view flag, std::string_view text,
                                             bool has_tls = false);

}  // namespace confab::control
