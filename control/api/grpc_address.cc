#include "control/api/grpc_address.h"

#include <arpa/inet.h>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace confab::control {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr size_t kUnixPathLimit = 107;  // sun_path, less its NUL.

bool IsLoopback(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

absl::Status Malformed(std::string_view flag, std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(fmt::format(
      "--{} {}: {}; give unix:PATH or HOST:PORT with a loopback HOST, for example 127.0.0.1:8081",
      flag, text, why));
}

absl::StatusOr<GrpcAddress> ParseUnix(std::string_view flag, std::string_view text) {
  std::string_view path = text.substr(kUnixPrefix.size());
  if (path.starts_with("//")) path.remove_prefix(2);  // unix:///run/x, as gRPC also takes it.
  if (path.empty()) return Malformed(flag, text, "the path is missing");
  if (path.size() > kUnixPathLimit)
    return Malformed(flag, text, "the path is longer than 107 bytes");
  GrpcAddress address;
  address.is_unix = true;
  address.path = std::string(path);
  return address;
}

}  // namespace

std::string GrpcAddress::ToString() const {
  if (is_unix) return fmt::format("unix:{}", path);
  if (host.find(':') != std::string::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

absl::StatusOr<GrpcAddress> ParseGrpcAddress(std::string_view flag, std::string_view text,
                                             bool has_tls) {
  if (text.starts_with(kUnixPrefix)) return ParseUnix(flag, text);
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Malformed(flag, text, "the port is missing");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Malformed(flag, text, "an IPv6 address stands in brackets, as in [::1]:8081");
  }
  GrpcAddress address;
  address.host = std::string(host);
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size()) {
    return Malformed(flag, text, "the port is no number from 0 to 65535");
  }
  address.port = number;
  if (has_tls && address.host.empty()) return Malformed(flag, text, "the host is missing");
  if (!has_tls && !IsLoopback(address.host)) {
    return absl::InvalidArgumentError(
        fmt::format("--{} {}: gRPC without TLS is spoken on loopback only (127.0.0.1:PORT, "
                    "[::1]:PORT) or over unix:PATH; for other addresses set --control-tls-cert and "
                    "the options beside it",
                    flag, text));
  }
  return address;
}

}  // namespace confab::control
