// jwt.h: signs and checks JSON Web Tokens (RFC 7519). A token's header only chooses among keys; how
// a key checks is the key's own.
// Threads: immutable values; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <absl/time/time.h>
#include <boost/json/object.hpp>

#include "process/jwt_key.h"
#include "process/jwt_key_set.h"

namespace confab::process {

// Longer tokens are refused before anything is decoded: no honest token comes near, and a header
// line of HTTP ends there too.
inline constexpr size_t kJwtBytesLimit = 8 * 1024;

// Why a token was refused; the caller picks its reason word.
enum class JwtFault {
  kNone,
  kMissing,        // Empty.
  kTooLong,        // Over kJwtBytesLimit.
  kMalformed,      // Not three parts of base64url with JSON objects, or a claim of a wrong type.
  kAlgorithm,      // "none" or any that no key has.
  kUnknownKey,     // kid names no key that is known.
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
JwtVerdict VerifyJwt(std::string_view token, const JwtKeySet& keys, const JwtPolicy& policy,
                     absl::Time now);
// With one key; a kid is not looked at.
JwtVerdict VerifyJwt(std::string_view token, const JwtKey& key, const JwtPolicy& policy,
                     absl::Time now);

// REQUIRES: claims hold what a verifier needs (exp); nothing is added. The key is a secret.
std::string SignJwt(const boost::json::object& claims, const JwtKey& key);

}  // namespace confab::process
