#include "edge/edge_tls.h"

#include <string>

#include <absl/status/status.h>
#include <absl/time/clock.h>
#include <fmt/format.h>

#include "edge/edge_metrics.h"
#include "process/log.h"

namespace confab::edge {

absl::StatusOr<std::shared_ptr<const TlsKeys>> LoadEdgeTls(const EdgeConfig& config) {
  if (config.tls_cert_file.empty() || config.tls_key_file.empty()) return nullptr;
  absl::StatusOr<std::shared_ptr<const TlsKeys>> keys =
      TlsKeys::Load(config.tls_cert_file, config.tls_key_file);
  if (keys.ok()) return keys;
  return absl::Status(keys.status().code(), fmt::format("--tls-cert, --tls-key: {}",
                                                        std::string(keys.status().message())));
}

void ShowEdgeTls(const TlsKeys* keys, EdgeMetrics& metrics) {
  if (keys == nullptr) return;
  metrics.tls_not_after.Set(absl::ToUnixSeconds(keys->not_after()));
  const std::string from = absl::FormatTime(keys->not_before(), absl::UTCTimeZone());
  const std::string to = absl::FormatTime(keys->not_after(), absl::UTCTimeZone());
  const absl::Time now = absl::Now();
  if (now > keys->not_after()) {
    process::LogWarn("the certificate has expired: clients will refuse it",
                     {{"subject", keys->subject()}, {"expired", to}});
  } else if (now < keys->not_before()) {
    process::LogWarn("the certificate is not valid yet: clients will refuse it",
                     {{"subject", keys->subject()}, {"valid_from", from}});
  } else {
    process::LogInfo("clients come over TLS", {{"subject", keys->subject()}, {"valid_to", to}});
  }
}

}  // namespace confab::edge
