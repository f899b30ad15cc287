// target.h: where a load goes: the URL of an edge, taken apart.
// Threads: immutable values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace confab::loadgen {

struct Target {
  std::string host;  // A name or an address, IPv6 without brackets.
  uint16_t port = 0;
  std::string host_header;
  std::string socket_path;  // Of the Socket.IO client, with its query.

  std::string Show() const;  // "ws://HOST:PORT"
};

// "ws://HOST[:PORT][/PATH/]". Without a path Socket.IO's own, /socket.io/. INVALID_ARGUMENT says
// what a URL may be.
absl::StatusOr<Target> ParseTarget(std::string_view url);

}  // namespace confab::loadgen
