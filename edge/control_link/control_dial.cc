#include "edge/control_link/control_dial.h"

#include <charconv>
#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "process/listen_address.h"

namespace confab::edge {
namespace {

// How often gRPC looks whether the certificate was renewed; a whole number of seconds.
constexpr unsigned kTlsLookSeconds = 1;

bool IsHostAndPort(std::string_view target) {
  const size_t colon = target.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view port = target.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc() && end == port.data() + port.size() && number != 0;
}

}  // namespace

process::TlsFlags DialTlsFlags() { return {}; }

absl::Status CheckControlTarget(std::string_view target, bool has_tls) {
  if (target.starts_with("unix:")) return absl::OkStatus();
  if (has_tls) {
    if (IsHostAndPort(target)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        fmt::format("--control {}: must be unix:PATH or HOST:PORT", target));
  }
  const absl::StatusOr<process::ListenAddress> address = process::ParseListenAddress(target);
  if (!address.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("--control {}: must be unix:PATH or HOST:PORT on loopback", target));
  }
  if (address->is_loopback) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("--control {}: plain TCP to another host is refused; set --control-tls-ca, "
                  "--control-tls-cert and --control-tls-key",
                  target));
}

std::shared_ptr<grpc::ChannelCredentials> ControlCredentials(std::string_view target,
                                                             const process::TlsMaterial* tls) {
  if (tls == nullptr || target.starts_with("unix:")) return grpc::InsecureChannelCredentials();
  namespace tls_api = grpc::experimental;
  tls_api::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<tls_api::FileWatcherCertificateProvider>(
      tls->identity_path(), tls->identity_path(), tls->ca_path(), kTlsLookSeconds));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  return tls_api::TlsCredentials(options);
}

}  // namespace confab::edge
