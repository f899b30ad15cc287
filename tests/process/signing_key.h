// signing_key.h: an issuer's private key made on the spot, with its public JWK and tokens.
// Threads: confined to the test.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "process/jwt_key.h"

namespace confab::process {

class SigningKey {
 public:
  static SigningKey Rsa(unsigned bits = 2048);
  static SigningKey P256();
  static SigningKey P384();
  static SigningKey Ed25519();

  boost::json::object PublicJwk() const;

  // As a token carries it: r and s for elliptic curves. Der() is what OpenSSL itself writes.
  std::string Sign(std::string_view input) const;
  std::string Der(std::string_view input) const;

  // Any header over any payload, rightly signed.
  std::string Token(std::string_view header, std::string_view payload) const;

 private:
  explicit SigningKey(EVP_PKEY* key);
  std::string Number(const char* name) const;

  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace confab::process
