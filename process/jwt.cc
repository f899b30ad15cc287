#include "process/jwt.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "process/base64url.h"

namespace confab::process {
namespace {

// Times in seconds beyond the year 9999 are nonsense and would overflow later.
constexpr double kTimeLimit = 253402300800;

JwtVerdict Refuse(JwtFault fault, std::string_view message) {
  return {.fault = fault, .message = std::string(message), .claims = {}};
}

struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_input;  // "header.payload"
};

std::optional<Parts> Split(std::string_view token) {
  const size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  if (token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

std::optional<boost::json::object> ParseObject(std::string_view part) {
  const std::optional<std::string> text = DecodeBase64Url(part);
  if (!text) return std::nullopt;
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(*text, error);  // Depth 32, strict UTF-8.
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

// A NumericDate (RFC 7519, 2): a JSON number, not a string that looks like one.
std::optional<absl::Time> NumericDate(const boost::json::value& value) {
  if (!value.is_number()) return std::nullopt;
  const double seconds = value.to_number<double>();
  if (!std::isfinite(seconds) || seconds < 0 || seconds >= kTimeLimit) return std::nullopt;
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

bool NamesAudience(const boost::json::value& aud, std::string_view wanted) {
  if (aud.is_string()) return std::string_view(aud.get_string()) == wanted;
  if (!aud.is_array()) return false;
  for (const boost::json::value& entry : aud.get_array()) {
    if (entry.is_string() && std::string_view(entry.get_string()) == wanted) return true;
  }
  return false;
}

// The keys whose turn it is by the header, which says no more than which of ours to take.
JwtVerdict ChooseKeys(const boost::json::object& header, const JwtKeySet& keys,
                      std::vector<const JwtKey*>& chosen) {
  for (const std::string_view name : {"crit", "jku", "jwk", "x5u"}) {
    if (header.contains(name)) {
      return Refuse(JwtFault::kHeader, fmt::format("token header \"{}\" is not accepted", name));
    }
  }
  std::optional<std::string_view> kid;
  if (const boost::json::value* value = header.if_contains("kid")) {
    if (!value->is_string()) return Refuse(JwtFault::kMalformed, "token header kid is no string");
    kid = std::string_view(value->get_string());
  }
  if (kid && keys.NamesKeys() && !keys.Knows(*kid)) {
    return Refuse(JwtFault::kUnknownKey, "token is signed with a key that is not known (kid)");
  }
  const boost::json::value* alg = header.if_contains("alg");
  if (alg != nullptr && alg->is_string()) {
    chosen = keys.Find(kid, std::string_view(alg->get_string()));
  }
  if (chosen.empty()) {
    return Refuse(JwtFault::kAlgorithm,
                  fmt::format("token is not signed with {}", keys.AlgorithmNames()));
  }
  if (chosen.size() > kJwtTriesLimit) {
    return Refuse(JwtFault::kUnknownKey, "token names no key (kid), and too many could be meant");
  }
  return {};
}

JwtVerdict CheckTimes(const boost::json::object& claims, const JwtPolicy& policy, absl::Time now,
                      absl::Time& expires) {
  const boost::json::value* exp = claims.if_contains("exp");
  if (exp == nullptr) return Refuse(JwtFault::kNoExpiry, "token has no expiry (exp)");
  const std::optional<absl::Time> end = NumericDate(*exp);
  if (!end) return Refuse(JwtFault::kMalformed, "token claim exp is no time");
  if (now >= *end + policy.leeway) return Refuse(JwtFault::kExpired, "token has expired");
  expires = *end;

  if (const boost::json::value* iat = claims.if_contains("iat"); iat && !NumericDate(*iat)) {
    return Refuse(JwtFault::kMalformed, "token claim iat is no time");
  }
  const boost::json::value* nbf = claims.if_contains("nbf");
  if (nbf == nullptr) return {};
  const std::optional<absl::Time> begin = NumericDate(*nbf);
  if (!begin) return Refuse(JwtFault::kMalformed, "token claim nbf is no time");
  if (now + policy.leeway < *begin) return Refuse(JwtFault::kNotYet, "token is not valid yet");
  return {};
}

JwtVerdict CheckParties(const boost::json::object& claims, const JwtPolicy& policy) {
  const boost::json::value* iss = claims.if_contains("iss");
  if (!policy.issuer.empty() && (iss == nullptr || !iss->is_string() ||
                                 std::string_view(iss->get_string()) != policy.issuer)) {
    return Refuse(JwtFault::kWrongIssuer, "token comes from another issuer (iss)");
  }
  const boost::json::value* aud = claims.if_contains("aud");
  if (!policy.audience.empty() && (aud == nullptr || !NamesAudience(*aud, policy.audience))) {
    return Refuse(JwtFault::kWrongAudience, "token is for another audience (aud)");
  }
  return {};
}

}  // namespace

JwtVerdict VerifyJwt(std::string_view token, const JwtKeySet& keys, const JwtPolicy& policy,
                     absl::Time now) {
  if (token.empty()) return Refuse(JwtFault::kMissing, "no token was given");
  if (token.size() > kJwtBytesLimit) {
    return Refuse(JwtFault::kTooLong, fmt::format("token is longer than {} bytes", kJwtBytesLimit));
  }
  const std::optional<Parts> parts = Split(token);
  if (!parts) return Refuse(JwtFault::kMalformed, "token is not a JWT");
  const std::optional<boost::json::object> header = ParseObject(parts->header);
  if (!header) return Refuse(JwtFault::kMalformed, "token header is not readable");
  std::vector<const JwtKey*> chosen;
  if (JwtVerdict verdict = ChooseKeys(*header, keys, chosen); !verdict.ok()) return verdict;

  const std::optional<std::string> signature = DecodeBase64Url(parts->signature);
  const auto has_signed = [&](const JwtKey* key) {
    return key->HasSigned(parts->signed_input, *signature);
  };
  if (!signature || std::none_of(chosen.begin(), chosen.end(), has_signed)) {
    return Refuse(JwtFault::kBadSignature, "token signature is wrong");
  }

  JwtVerdict accepted;
  std::optional<boost::json::object> claims = ParseObject(parts->payload);
  if (!claims) return Refuse(JwtFault::kMalformed, "token claims are not readable");
  if (JwtVerdict verdict = CheckTimes(*claims, policy, now, accepted.claims.expires);
      !verdict.ok()) {
    return verdict;
  }
  if (JwtVerdict verdict = CheckParties(*claims, policy); !verdict.ok()) return verdict;
  accepted.claims.json = *std::move(claims);
  return accepted;
}

JwtVerdict VerifyJwt(std::string_view token, const JwtKey& key, const JwtPolicy& policy,
                     absl::Time now) {
  return VerifyJwt(token, JwtKeySet(key), policy, now);
}

std::string SignJwt(const boost::json::object& claims, const JwtKey& key) {
  const boost::json::object header = {{"alg", key.algorithm_name()}, {"typ", "JWT"}};
  const std::string input = EncodeBase64Url(boost::json::serialize(header)) + "." +
                            EncodeBase64Url(boost::json::serialize(claims));
  return input + "." + EncodeBase64Url(key.Sign(input));
}

}  // namespace confab::process
