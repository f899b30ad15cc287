// jwt_key.h: one key that checks signatures of tokens. The key owns its algorithm, never the
// token's header.
// Owns: the OpenSSL key (shared, immutable).   Used by: jwt, jwt_key_set, and whoever signs.
// Threads: immutable; any thread.
// Fails: INVALID_ARGUMENT says what is wrong with a key, NOT_FOUND how to make a secret file.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

using EVP_PKEY = struct evp_pkey_st;  // OpenSSL's, without its headers.

namespace confab::process {

// HS256's security ends at the secret's length (RFC 7518, 3.2).
inline constexpr size_t kJwtSecretBytesMin = 32;

// Below 2048 bits RSA is refused (RFC 7518, 3.3); above 8192 one check costs a millisecond.
inline constexpr int kJwtRsaBitsMin = 2048;
inline constexpr int kJwtRsaBitsLimit = 8192;

enum class JwtAlgorithm { kHs256, kRs256, kEs256, kEdDsa };

// As a token's header writes it: "HS256", "RS256", "ES256", "EdDSA".
std::string_view NameOf(JwtAlgorithm algorithm);

class JwtKey {
 public:
  static absl::StatusOr<JwtKey> FromSecret(std::string secret);
  // The file's bytes; newlines at its end are no part of the secret.
  static absl::StatusOr<JwtKey> FromSecretFile(const std::string& path);

  // Public keys, from big-endian bytes. RSA: modulus and exponent; P-256 and Ed25519: 32 bytes
  // each. Such a key checks and cannot sign.
  static absl::StatusOr<JwtKey> FromRsa(std::string_view modulus, std::string_view exponent);
  static absl::StatusOr<JwtKey> FromP256(std::string_view x, std::string_view y);
  static absl::StatusOr<JwtKey> FromEd25519(std::string_view x);

  JwtAlgorithm algorithm() const { return algorithm_; }
  std::string_view algorithm_name() const { return NameOf(algorithm_); }

  // Over "header.payload". Constant time where it matters. ES256: r and s as 32 bytes each, no DER.
  bool HasSigned(std::string_view input, std::string_view signature) const;

  // Empty unless this is a secret.
  std::string Sign(std::string_view input) const;

 private:
  JwtKey(JwtAlgorithm algorithm, EVP_PKEY* key);  // Takes it over.

  JwtAlgorithm algorithm_;
  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace confab::process
