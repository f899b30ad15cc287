// jwt_key_set.h: the keys of one issuer, from a JWKS document (RFC 7517), a secret, or both.
// Owns: the keys.   Used by: jwt (to check), edge/auth.
// Threads: immutable once made; any thread.
// Fails: INVALID_ARGUMENT names the key, by its place and kid, and what is wrong; the set is then
// not made at all. NOT_FOUND: the file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "process/jwt_key.h"

namespace confab::process {

// An issuer publishes two or three: one that signs, one that comes, one that goes.
inline constexpr size_t kJwksKeysLimit = 64;
inline constexpr size_t kJwksBytesLimit = 256 * 1024;

// A token without kid is tried with every key of its algorithm; more than these few would make a
// wrong token an expensive one.
inline constexpr size_t kJwtTriesLimit = 8;

class JwtKeySet {
 public:
  // One key without a name; tokens that name a key are taken too.
  explicit JwtKeySet(JwtKey key);

  // RSA (RS256), EC P-256 (ES256), OKP Ed25519 (EdDSA) and oct (HS256). Keys for another use, or
  // of a kind not spoken here, are passed over and told in notes(). A fault in one that could be
  // used refuses the whole document, as does one that leaves no key.
  static absl::StatusOr<JwtKeySet> Parse(std::string_view jwks);
  static absl::StatusOr<JwtKeySet> FromFile(const std::string& path);

  // A further key without a name, such as the secret beside the file.
  void Add(JwtKey key) { keys_.push_back({std::nullopt, std::move(key)}); }

  // The keys that may have signed a token whose header says so; none if it names an unknown key,
  // or if no key has that algorithm. An algorithm only chooses among keys, it never changes one.
  std::vector<const JwtKey*> Find(std::optional<std::string_view> kid,
                                  std::string_view algorithm) const;

  size_t size() const { return keys_.size(); }
  // "RS256" or "RS256 or EdDSA": for messages.
  std::string AlgorithmNames() const;
  // Whether a token's kid must be one of the set's: so for a JWKS document.
  bool NamesKeys() const { return names_keys_; }
  bool Knows(std::string_view kid) const;
  // What was passed over and why, a line each.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Entry {
    std::optional<std::string> kid;
    JwtKey key;
  };

  JwtKeySet() = default;

  std::vector<Entry> keys_;
  std::vector<std::string> notes_;
  bool names_keys_ = false;
};

}  // namespace confab::process
