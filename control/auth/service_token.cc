#include "control/auth/service_token.h"

#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "control/status_reason.h"

namespace confab::control {
namespace {

constexpr size_t kNameBytesLimit = 128;  // As every id.

std::string_view View(const boost::json::string& text) { return {text.data(), text.size()}; }

std::string_view TextClaim(const boost::json::object& claims, const char* name) {
  const boost::json::value* value = claims.if_contains(name);
  return value != nullptr && value->is_string() ? View(value->get_string()) : std::string_view();
}

void AddWord(std::string_view word, ScopeSet& scopes) {
  if (const std::optional<Scope> scope = ScopeOfWord(word)) {
    scopes.set(static_cast<size_t>(*scope));
  }
}

ScopeSet ScopesOf(const boost::json::object& claims) {
  ScopeSet scopes;
  std::string_view words = TextClaim(claims, "scope");
  while (!words.empty()) {
    const size_t end = words.find(' ');
    AddWord(words.substr(0, end), scopes);
    words = end == std::string_view::npos ? std::string_view() : words.substr(end + 1);
  }
  const boost::json::value* list = claims.if_contains("scopes");
  if (list != nullptr && list->is_array()) {
    for (const boost::json::value& word : list->get_array()) {
      if (word.is_string()) AddWord(View(word.get_string()), scopes);
    }
  }
  return scopes;
}

v1::Reason ReasonOfFault(process::JwtFault fault) {
  switch (fault) {
    case process::JwtFault::kMissing:
      return v1::REASON_TOKEN_MISSING;
    case process::JwtFault::kExpired:
      return v1::REASON_TOKEN_EXPIRED;
    default:
      return v1::REASON_TOKEN_INVALID;
  }
}

}  // namespace

ServiceTokenVerifier::ServiceTokenVerifier(process::JwtKey key) : key_(std::move(key)) {}

absl::StatusOr<ServiceIdentity> ServiceTokenVerifier::Verify(std::string_view token,
                                                             absl::Time now) const {
  process::JwtPolicy policy;
  policy.audience = kServiceAudience;
  const process::JwtVerdict verdict = process::VerifyJwt(token, key_, policy, now);
  if (!verdict.ok()) {
    return RefusalStatus(ReasonOfFault(verdict.fault),
                         fmt::format("service token: {}", verdict.message));
  }
  ServiceIdentity identity;
  identity.name = std::string(TextClaim(verdict.claims.json, "sub"));
  if (identity.name.empty() || identity.name.size() > kNameBytesLimit) {
    return RefusalStatus(v1::REASON_TOKEN_INVALID,
                         "service token: sub names the service, 1 to 128 bytes");
  }
  identity.scopes = ScopesOf(verdict.claims.json);
  return identity;
}

absl::StatusOr<ServiceIdentity> ServiceTokenVerifier::Admit(std::string_view token,
                                                            std::string_view method,
                                                            absl::Time now) const {
  absl::StatusOr<ServiceIdentity> identity = Verify(token, now);
  if (!identity.ok()) return identity;
  const std::optional<Scope> scope = ScopeOfMethod(method);
  if (!scope.has_value()) {
    return RefusalStatus(v1::REASON_SCOPE_MISSING, fmt::format("{} is open to nobody", method));
  }
  if (!identity->scopes.test(static_cast<size_t>(*scope))) {
    return RefusalStatus(
        v1::REASON_SCOPE_MISSING,
        fmt::format("the token of service {} lacks the scope {}", identity->name, WordOf(*scope)));
  }
  return identity;
}

std::string MintServiceToken(const process::JwtKey& key, std::string_view name,
                             const std::vector<Scope>& scopes, absl::Time now, absl::Duration ttl) {
  std::string words;
  for (const Scope scope : scopes) {
    if (!words.empty()) words += ' ';
    words += WordOf(scope);
  }
  boost::json::object claims;
  claims["sub"] = name;
  claims["aud"] = kServiceAudience;
  claims["scope"] = words;
  claims["iat"] = absl::ToUnixSeconds(now);
  claims["exp"] = absl::ToUnixSeconds(now + ttl);
  return process::SignJwt(claims, key);
}

}  // namespace confab::control
