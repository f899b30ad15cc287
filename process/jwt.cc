#include "process/jwt.h"

#include <array>
#include <cmath>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "process/base64url.h"

namespace confab::process {
namespace {

// A secret file is a line of text; a larger one is the wrong file.
constexpr size_t kSecretFileLimit = 4096;

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

// What the header says decides nothing; it may only agree with the key.
JwtVerdict CheckHeader(const boost::json::object& header, const JwtKey& key) {
  for (const std::string_view name : {"crit", "jku", "jwk", "x5u"}) {
    if (header.contains(name)) {
      return Refuse(JwtFault::kHeader, fmt::format("token header \"{}\" is not accepted", name));
    }
  }
  const boost::json::value* alg = header.if_contains("alg");
  if (alg == nullptr || !alg->is_string() ||
      std::string_view(alg->get_string()) != key.algorithm_name()) {
    return Refuse(JwtFault::kAlgorithm,
                  fmt::format("token is not signed with {}", key.algorithm_name()));
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

JwtKey::JwtKey(JwtAlgorithm algorithm, std::shared_ptr<EVP_PKEY> key)
    : algorithm_(algorithm), key_(std::move(key)) {}

absl::StatusOr<JwtKey> JwtKey::FromSecret(std::string secret) {
  if (secret.size() < kJwtSecretBytesMin) {
    return absl::InvalidArgumentError(
        fmt::format("the secret has {} bytes, HS256 needs at least {}; make one with: "
                    "openssl rand -base64 48",
                    secret.size(), kJwtSecretBytesMin));
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes.
  const auto* bytes = reinterpret_cast<const unsigned char*>(secret.data());
  EVP_PKEY* key = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, nullptr, bytes, secret.size());
  OPENSSL_cleanse(secret.data(), secret.size());
  if (key == nullptr) {
    ERR_clear_error();
    return absl::InternalError("OpenSSL refused the secret");
  }
  return JwtKey(JwtAlgorithm::kHs256, std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free));
}

absl::StatusOr<JwtKey> JwtKey::FromSecretFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string secret(kSecretFileLimit + 1, '\0');
  if (file) file.read(secret.data(), static_cast<std::streamsize>(secret.size()));
  if (!file.is_open() || file.bad()) {
    const size_t slash = path.rfind('/');
    const std::string make_folder = slash == std::string::npos || slash == 0
                                        ? ""
                                        : fmt::format("mkdir -p {} && ", path.substr(0, slash));
    return absl::NotFoundError(
        fmt::format("cannot read the secret file {}; make one with: "
                    "{}(umask 077; openssl rand -base64 48 > {})",
                    path, make_folder, path));
  }
  secret.resize(static_cast<size_t>(file.gcount()));
  if (secret.size() > kSecretFileLimit) {
    return absl::InvalidArgumentError(
        fmt::format("{} is over {} bytes: not a file with a secret", path, kSecretFileLimit));
  }
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  absl::StatusOr<JwtKey> key = FromSecret(std::move(secret));
  if (key.ok()) return key;
  return absl::Status(key.status().code(),
                      fmt::format("{}: {}", path, std::string(key.status().message())));
}

std::string_view JwtKey::algorithm_name() const {
  switch (algorithm_) {
    case JwtAlgorithm::kHs256:
      return "HS256";
  }
  return "";
}

std::string JwtKey::Sign(std::string_view input) const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> signature{};
  size_t size = signature.size();
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes.
  const auto* bytes = reinterpret_cast<const unsigned char*>(input.data());
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, bytes, input.size()) != 1) {
    ERR_clear_error();
    return "";
  }
  return {signature.begin(), signature.begin() + static_cast<std::ptrdiff_t>(size)};
}

bool JwtKey::HasSigned(std::string_view input, std::string_view signature) const {
  const std::string expected = Sign(input);
  return !expected.empty() && expected.size() == signature.size() &&
         CRYPTO_memcmp(expected.data(), signature.data(), expected.size()) == 0;
}

JwtVerdict VerifyJwt(std::string_view token, const JwtKey& key, const JwtPolicy& policy,
                     absl::Time now) {
  if (token.empty()) return Refuse(JwtFault::kMissing, "no token was given");
  if (token.size() > kJwtBytesLimit) {
    return Refuse(JwtFault::kTooLong, fmt::format("token is longer than {} bytes", kJwtBytesLimit));
  }
  const std::optional<Parts> parts = Split(token);
  if (!parts) return Refuse(JwtFault::kMalformed, "token is not a JWT");
  const std::optional<boost::json::object> header = ParseObject(parts->header);
  if (!header) return Refuse(JwtFault::kMalformed, "token header is not readable");
  if (JwtVerdict verdict = CheckHeader(*header, key); !verdict.ok()) return verdict;

  const std::optional<std::string> signature = DecodeBase64Url(parts->signature);
  if (!signature || !key.HasSigned(parts->signed_input, *signature)) {
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

std::string SignJwt(const boost::json::object& claims, const JwtKey& key) {
  const boost::json::object header = {{"alg", key.algorithm_name()}, {"typ", "JWT"}};
  const std::string input = EncodeBase64Url(boost::json::serialize(header)) + "." +
                            EncodeBase64Url(boost::json::serialize(claims));
  return input + "." + EncodeBase64Url(key.Sign(input));
}

}  // namespace confab::process
