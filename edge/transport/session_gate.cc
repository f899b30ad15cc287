#include "edge/transport/session_gate.h"

#include <chrono>
#include <string>

#include "edge/transport/engineio_answers.h"
#include "edge/transport/http_talk.h"
#include "proto/reason.h"

namespace confab::edge {

namespace {

// Until some of the edge's clients have probably gone.
constexpr std::uint32_t kBusyMs = 5'000;

}  // namespace

ClientAddress ClientOfRequest(const ProxyTrust& proxies, const IpAddress& peer,
                              const boost::beast::http::fields& headers) {
  if (!proxies.Trusts(peer)) return proxies.ClientOf(peer, {});
  std::string forwarded;
  const auto lines = headers.equal_range("X-Forwarded-For");
  for (auto line = lines.first; line != lines.second; ++line) {
    if (!forwarded.empty()) forwarded += ',';
    forwarded.append(line->value().data(), line->value().size());
  }
  return proxies.ClientOf(peer, forwarded);
}

std::optional<HttpAnswer> CheckSession(HttpHome& home, const ClientAddress& client,
                                       OpenRequest& open) {
  const bool is_engineio = open.protocol == OpenRequest::Protocol::kSocketIo ||
                           open.protocol == OpenRequest::Protocol::kEngineIo;
  if (home.is_draining) {
    return RefuseSession(MakeError(v1::REASON_UNAVAILABLE, "this server is being emptied"),
                         is_engineio);
  }
  if (home.transports.list.size() >= home.transports.limits.transports) {
    return RefuseSession(MakeError(v1::REASON_UNAVAILABLE,
                                   "this server has as many connections as it may have", kBusyMs),
                         is_engineio);
  }
  const auto refusal = home.addresses.Open(client, std::chrono::steady_clock::now(), open.address);
  if (!refusal) return std::nullopt;
  return RefuseSession(*refusal, is_engineio);
}

}  // namespace confab::edge
