#include "process/listen_address.h"

#include <arpa/inet.h>
#include <charconv>
#include <system_error>

#include <absl/status/status.h>
#include <fmt/format.h>

namespace confab::process {
namespace {

absl::Status Refused(std::string_view text) {
  return absl::InvalidArgumentError(
      fmt::format("\"{}\" is no address: give HOST:PORT such as 127.0.0.1:8080 or [::1]:0 "
                  "(numeric host or localhost, port 0 to 65535, 0 = any free one)",
                  text.substr(0, 80)));
}

}  // namespace

absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Refused(text);
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);

  ListenAddress address;
  const auto [end, error] =
      std::from_chars(port.data(), port.data() + port.size(), address.port, 10);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return Refused(text);
  }
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  address.host = host.empty() || host == "*" ? "0.0.0.0"
                 : host == "localhost"       ? "127.0.0.1"
                                             : std::string(host);

  in_addr v4{};
  in6_addr v6{};
  if (host.find('\0') != std::string_view::npos) return Refused(text);
  if (!is_bracketed && inet_pton(AF_INET, address.host.c_str(), &v4) == 1) {
    address.is_loopback = (ntohl(v4.s_addr) >> 24) == 127;
  } else if (is_bracketed && inet_pton(AF_INET6, address.host.c_str(), &v6) == 1) {
    address.is_loopback = IN6_IS_ADDR_LOOPBACK(&v6);
  } else {
    return Refused(text);
  }
  return address;
}

std::string ShowAddress(std::string_view host, uint16_t port) {
  const bool is_v6 = host.find(':') != std::string_view::npos;
  return is_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace confab::process
