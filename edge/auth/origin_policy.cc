#include "edge/auth/origin_policy.h"

#include <algorithm>

#include <absl/status/status.h>
#include <absl/strings/ascii.h>
#include <fmt/format.h>

namespace confab::edge {
namespace {

struct Origin {
  std::string scheme;
  std::string host;  // With the port, if it is not the scheme's own.

  std::string Joined() const { return scheme + "://" + host; }
};

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  absl::AsciiStrToLower(&lower);
  return lower;
}

std::string_view DefaultPort(std::string_view scheme) {
  if (scheme == "http") return ":80";
  if (scheme == "https") return ":443";
  return "";
}

std::string WithoutDefaultPort(std::string host, std::string_view scheme) {
  const std::string_view port = DefaultPort(scheme);
  if (!port.empty() && host.ends_with(port)) host.resize(host.size() - port.size());
  return host;
}

// scheme "://" host [":" port], and nothing more (RFC 6454, 6.2).
std::optional<Origin> ParseOrigin(std::string_view text) {
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const std::string_view host = text.substr(colon + 3);
  if (host.empty() || host.find_first_of("/?#@ \t,") != std::string_view::npos) return std::nullopt;
  Origin origin{LowerCase(text.substr(0, colon)), LowerCase(host)};
  origin.host = WithoutDefaultPort(std::move(origin.host), origin.scheme);
  return origin;
}

// "localhost:3000" -> "localhost", "[::1]:3000" -> "[::1]".
std::string_view WithoutPort(std::string_view host) {
  const size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos)
    return host;
  return host.substr(0, colon);
}

bool IsLocalhost(std::string_view host) {
  const std::string_view name = WithoutPort(host);
  return name == "localhost" || name.ends_with(".localhost") || name == "127.0.0.1" ||
         name == "[::1]";
}

}  // namespace

absl::StatusOr<OriginPolicy> OriginPolicy::Create(const std::vector<std::string>& allowed,
                                                  bool is_loopback_listener) {
  OriginPolicy policy;
  policy.is_loopback_listener_ = is_loopback_listener;
  for (const std::string& entry : allowed) {
    if (entry == "*") {
      policy.allows_any_ = true;
    } else if (entry == "null") {
      policy.allows_null_ = true;
    } else if (const auto origin = ParseOrigin(entry)) {
      policy.allowed_.push_back(origin->Joined());
    } else {
      return absl::InvalidArgumentError(fmt::format(
          "allowed origin \"{}\": write SCHEME://HOST[:PORT] without a path, or null, or *",
          entry));
    }
  }
  return policy;
}

bool OriginPolicy::Allows(std::optional<std::string_view> origin, std::string_view host) const {
  if (!origin || allows_any_) return true;
  if (*origin == "null") return allows_null_;
  const auto parsed = ParseOrigin(*origin);
  if (!parsed) return false;
  if (parsed->host == WithoutDefaultPort(LowerCase(host), parsed->scheme)) return true;
  if (is_loopback_listener_ && IsLocalhost(parsed->host)) return true;
  return std::find(allowed_.begin(), allowed_.end(), parsed->Joined()) != allowed_.end();
}

}  // namespace confab::edge
