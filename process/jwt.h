// jwt.h: signs and checks JSON Web Tokens. The key owns its algorithm, never the token's header.
// Owns: JwtKey the OpenSSL key (shared, immutable).   Used by: edge/auth, control/auth, confabctl.
// Threads: immutable.
// Fails: a verdict with a fault, or INVALID_ARGUMENT / NOT_FOUND where a key is read.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <boost/json/object.hpp>

using EVP_PKEY = struct evp_pkey_st;  // OpenSSL's, without its headers.

namespace confab::process {

// Longer tokens are refused before anything is decoded: no honest token comes near, and a header
// line of HTTP ends there too.
inline constexpr size_t kJwtBytesLimit = 8 * 1024;

// HS256's security ends at the secret's length (RFC 7518, 3.2).
inline constexpr size_t kJwtSecretBytesMin = 32;

enum class JwtAlgorithm { kHs256 };  // RS256, ES256 and EdDSA come with the JWKS file.

class JwtKey {
 public:
  static absl::StatusOr<JwtKey> FromSecret(std::string secret);
  // The file's bytes; newlines at its end are no part of the secret.
  static absl::StatusOr<JwtKey> FromSecretFile(const std::string& path);

  JwtAlgorithm algorithm() const { return algorithm_; }
  std::string_view algorithm_name() const;  // As in the header: "HS256".

  // Over "header.payload". Constant time where it matters.
  bool HasSigned(std::string_view input, std::string_view signature) const;
  std::string Sign(std::string_view input) const;

 private:
  JwtKey(JwtAlgorithm algorithm, std::shared_ptr<EVP_PKEY> key);

  JwtAlgorithm algorithm_;
  std::shared_ptr<EVP_PKEY> key_;
};

// Why a token was refused; the caller picks its reason word.
enum class JwtFault {
  kNone,
  kMissing,        // Empty.
  kTooLong,        // Over kJwtBytesLimit.
  kMalformed,      // Not three parts of base64url with JSON objects, or a claim of a wrong type.
  kAlgorithm,      // "none" or any other than the key's.
  kHeader,         // crit, jku, jwk or x5u.
  kBadSignature,   //
  kNoExpiry,       // exp is required.
  kExpired,        //
  kNotYet,         // nbf lies ahead.
  kWrongIssuer,    //
  kWrongAudience,  //
};

struct JwtPolicy {
  std::string issuer;    // Empty: not asked.
  std::string audience;  // Empty: not asked. Else aud must be it, or a list that has it.
  absl::Duration leeway = absl::Seconds(30);
};

struct JwtClaims {
  boost::json::object json;
  absl::Time expires;  // exp as written, without leeway.
};

struct JwtVerdict {
  JwtFault fault = JwtFault::kNone;
  std::string message;  // For people; holds nothing of the token.
  JwtClaims claims;     // Only if ok().

  bool ok() const { return fault == JwtFault::kNone; }
};

// Looks at nothing but header and signature until the signature is found right.
JwtVerdict VerifyJwt(std::string_view token, const JwtKey& key, const JwtPolicy& policy,
                     absl::Time now);

// REQUIRES: claims hold what a verifier needs (exp); nothing is added.
std::string SignJwt(const boost::json::object& claims, const JwtKey& key);

}  // namespace confab::process
