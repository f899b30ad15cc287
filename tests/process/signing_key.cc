#include "tests/process/signing_key.h"

#include <array>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "process/base64url.h"

namespace confab::process {
namespace {

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Padded(const BIGNUM* number, size_t bytes) {
  std::vector<unsigned char> out(bytes);
  BN_bn2binpad(number, out.data(), static_cast<int>(bytes));
  return {out.begin(), out.end()};
}

}  // namespace

SigningKey::SigningKey(EVP_PKEY* key) : key_(key, EVP_PKEY_free) {}

SigningKey SigningKey::Rsa(unsigned bits) { return SigningKey(EVP_RSA_gen(bits)); }
SigningKey SigningKey::P256() { return SigningKey(EVP_EC_gen("P-256")); }
SigningKey SigningKey::P384() { return SigningKey(EVP_EC_gen("P-384")); }
SigningKey SigningKey::Ed25519() {
  return SigningKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

std::string SigningKey::Number(const char* name) const {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key_.get(), name, &number);
  const bool is_curve = EVP_PKEY_get_id(key_.get()) == EVP_PKEY_EC;
  const auto size = static_cast<size_t>(is_curve ? (EVP_PKEY_get_bits(key_.get()) + 7) / 8
                                                 : BN_num_bytes(number));
  const std::string bytes = Padded(number, size);
  BN_free(number);
  return EncodeBase64Url(bytes);
}

boost::json::object SigningKey::PublicJwk() const {
  switch (EVP_PKEY_get_id(key_.get())) {
    case EVP_PKEY_RSA:
      return {{"kty", "RSA"},
              {"n", Number(OSSL_PKEY_PARAM_RSA_N)},
              {"e", Number(OSSL_PKEY_PARAM_RSA_E)}};
    case EVP_PKEY_EC:
      return {{"kty", "EC"},
              {"crv", EVP_PKEY_get_bits(key_.get()) == 256 ? "P-256" : "P-384"},
              {"x", Number(OSSL_PKEY_PARAM_EC_PUB_X)},
              {"y", Number(OSSL_PKEY_PARAM_EC_PUB_Y)}};
    default: {
      std::array<unsigned char, 32> x{};
      size_t size = x.size();
      EVP_PKEY_get_raw_public_key(key_.get(), x.data(), &size);
      return {{"kty", "OKP"},
              {"crv", "Ed25519"},
              {"x", EncodeBase64Url(std::string(x.begin(), x.end()))}};
    }
  }
}

std::string SigningKey::Der(std::string_view input) const {
  const bool is_edwards = EVP_PKEY_get_id(key_.get()) == EVP_PKEY_ED25519;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestSignInit(context, nullptr, is_edwards ? nullptr : EVP_sha256(), nullptr, key_.get());
  size_t size = 0;
  EVP_DigestSign(context, nullptr, &size, Bytes(input), input.size());
  std::vector<unsigned char> out(size);
  EVP_DigestSign(context, out.data(), &size, Bytes(input), input.size());
  EVP_MD_CTX_free(context);
  return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)};
}

std::string SigningKey::Sign(std::string_view input) const {
  const std::string der = Der(input);
  if (EVP_PKEY_get_id(key_.get()) != EVP_PKEY_EC) return der;
  const unsigned char* at = Bytes(der);
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  const auto half = static_cast<size_t>(EVP_PKEY_get_bits(key_.get()) + 7) / 8;
  const std::string raw =
      Padded(ECDSA_SIG_get0_r(signature), half) + Padded(ECDSA_SIG_get0_s(signature), half);
  ECDSA_SIG_free(signature);
  return raw;
}

std::string SigningKey::Token(std::string_view header, std::string_view payload) const {
  const std::string input = EncodeBase64Url(header) + "." + EncodeBase64Url(payload);
  return input + "." + EncodeBase64Url(Sign(input));
}

}  // namespace confab::process
