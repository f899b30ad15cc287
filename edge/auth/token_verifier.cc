#include "edge/auth/token_verifier.h"

#include <string>
#include <utility>

#include <absl/strings/match.h>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "proto/reason.h"

namespace confab::edge {
namespace {

namespace json = boost::json;
using process::JwtFault;

// DESIGN.md section 7 (ids), types.proto (names), RFC 5321 (addresses).
constexpr size_t kUserIdBytesLimit = 128;
constexpr size_t kNameBytesLimit = 128;
constexpr size_t kEmailBytesLimit = 254;

v1::Reason ReasonOfFault(JwtFault fault) {
  switch (fault) {
    case JwtFault::kMissing:
      return v1::REASON_TOKEN_MISSING;
    case JwtFault::kExpired:
      return v1::REASON_TOKEN_EXPIRED;
    case JwtFault::kNone:
    case JwtFault::kTooLong:
    case JwtFault::kMalformed:
    case JwtFault::kAlgorithm:
    case JwtFault::kUnknownKey:
    case JwtFault::kHeader:
    case JwtFault::kBadSignature:
    case JwtFault::kNoExpiry:
    case JwtFault::kNotYet:
    case JwtFault::kWrongIssuer:
    case JwtFault::kWrongAudience:
      break;
  }
  return v1::REASON_TOKEN_INVALID;
}

std::string_view WithoutScheme(std::string_view token) {
  constexpr std::string_view kBearer = "Bearer ";
  while (!token.empty() && token.front() == ' ') token.remove_prefix(1);
  if (token.size() >= kBearer.size() &&
      absl::EqualsIgnoreCase({token.data(), kBearer.size()}, "Bearer ")) {
    token.remove_prefix(kBearer.size());
  }
  while (!token.empty() && token.front() == ' ') token.remove_prefix(1);
  while (!token.empty() && token.back() == ' ') token.remove_suffix(1);
  return token;
}

// The first of the claims that stands there and is not null.
const json::value* FindClaim(const json::object& claims, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const json::value* value = claims.if_contains(name);
    if (value != nullptr && !value->is_null()) return value;
  }
  return nullptr;
}

// A string as it is, a whole number as its digits; nullopt for everything else.
std::optional<std::string> IdText(const json::value& value) {
  if (const json::string* text = value.if_string()) return std::string(text->data(), text->size());
  if (const int64_t* number = value.if_int64()) return std::to_string(*number);
  if (const uint64_t* number = value.if_uint64()) return std::to_string(*number);
  return std::nullopt;
}

std::string OptionalText(const json::object& claims, const std::vector<std::string>& names) {
  const json::value* value = FindClaim(claims, names);
  return value == nullptr ? std::string() : IdText(*value).value_or(std::string());
}

// Cuts between code points.
void CutTo(size_t bytes_limit, std::string& utf8) {
  if (utf8.size() <= bytes_limit) return;
  size_t size = bytes_limit;
  while (size > 0 && (static_cast<unsigned char>(utf8[size]) & 0xc0) == 0x80) --size;
  utf8.resize(size);
}

bool IsUserId(const std::string& id) {
  return !id.empty() && id.size() <= kUserIdBytesLimit && id.find('\0') == std::string::npos;
}

}  // namespace

TokenVerifier::TokenVerifier(process::JwtKeySet keys, process::JwtPolicy policy, ClaimNames claims)
    : keys_(std::move(keys)), policy_(std::move(policy)), claims_(std::move(claims)) {}

std::optional<v1::Error> TokenVerifier::Verify(std::string_view token, absl::Time now,
                                               VerifiedUser& user) const {
  const process::JwtVerdict verdict = VerifyJwt(WithoutScheme(token), keys_, policy_, now);
  if (!verdict.ok()) return MakeError(ReasonOfFault(verdict.fault), verdict.message);

  const json::object& claims = verdict.claims.json;
  const json::value* id_claim = FindClaim(claims, claims_.user_id);
  const std::optional<std::string> id = id_claim == nullptr ? std::nullopt : IdText(*id_claim);
  if (!id || !IsUserId(*id)) {
    return MakeError(v1::REASON_TOKEN_INVALID,
                     fmt::format("the token names no user: its claim {} must be a string of 1 to "
                                 "128 bytes or a whole number",
                                 fmt::join(claims_.user_id, " or ")));
  }
  user = VerifiedUser();
  user.user.set_id(*id);
  std::string name = OptionalText(claims, claims_.name);
  CutTo(kNameBytesLimit, name);
  user.user.set_name(std::move(name));
  user.email = OptionalText(claims, claims_.email);
  if (user.email.size() > kEmailBytesLimit) user.email.clear();
  user.role_context = OptionalText(claims, claims_.role_context);
  if (user.role_context.size() > kUserIdBytesLimit) user.role_context.clear();
  user.expires_at = verdict.claims.expires;
  return std::nullopt;
}

}  // namespace confab::edge
