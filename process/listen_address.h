// listen_address.h: HOST:PORT as flags write it.
// Threads: immutable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace confab::process {

struct ListenAddress {
  std::string host;  // A numeric address, IPv6 without brackets.
  uint16_t port = 0;
  bool is_loopback = false;
};

// "127.0.0.1:8080", "[::1]:0", "localhost:0" (127.0.0.1), ":8080" and "*:8080" (0.0.0.0). Names
// are not looked up. INVALID_ARGUMENT says what is allowed.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

// The reverse: "127.0.0.1:8080", "[::1]:8080".
std::string ShowAddress(std::string_view host, uint16_t port);

}  // namespace confab::process
