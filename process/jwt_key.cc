#include "process/jwt_key.h"

#include <array>
#include <utility>

#include <absl/status/status.h>
#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "process/bounded_file.h"

namespace confab::process {
namespace {

// A secret file is a line of text; a larger one is the wrong file.
constexpr size_t kSecretFileLimit = 4096;

// r and s of ES256, x and y of P-256, all of an Ed25519 key.
constexpr size_t kNumberBytes = 32;
constexpr size_t kSignatureBytes = 2 * kNumberBytes;

template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

const unsigned char* Bytes(std::string_view text) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes.
  return reinterpret_cast<const unsigned char*>(text.data());
}

Owned<BIGNUM> Number(std::string_view bytes) {
  return {BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr), BN_free};
}

// OpenSSL's key of these parts, checked; null if they are none.
EVP_PKEY* MakeKey(const char* type, OSSL_PARAM_BLD* parts) {
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(parts), OSSL_PARAM_free);
  const Owned<EVP_PKEY_CTX> maker(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr),
                                  EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (params == nullptr || maker == nullptr || EVP_PKEY_fromdata_init(maker.get()) != 1 ||
      EVP_PKEY_fromdata(maker.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  const Owned<EVP_PKEY_CTX> checker(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr),
                                    EVP_PKEY_CTX_free);
  if (checker == nullptr || EVP_PKEY_public_check(checker.get()) != 1) {
    ERR_clear_error();
    EVP_PKEY_free(key);
    return nullptr;
  }
  return key;
}

Owned<OSSL_PARAM_BLD> NewParts() { return {OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free}; }

// r and s as OpenSSL takes them; empty if that cannot be.
std::string DerOfSignature(std::string_view raw) {
  const Owned<ECDSA_SIG> signature(ECDSA_SIG_new(), ECDSA_SIG_free);
  Owned<BIGNUM> r = Number(raw.substr(0, kNumberBytes));
  Owned<BIGNUM> s = Number(raw.substr(kNumberBytes));
  if (signature == nullptr || r == nullptr || s == nullptr ||
      ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
    return "";
  }
  static_cast<void>(r.release());  // The signature has both now.
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return "";
  std::string bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

// `digest` is null for what hashes by itself.
bool IsSignedBy(EVP_PKEY* key, const EVP_MD* digest, std::string_view input,
                std::string_view signature) {
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const bool is_signed = context != nullptr &&
                         EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
                         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(),
                                          Bytes(input), input.size()) == 1;
  ERR_clear_error();
  return is_signed;
}

}  // namespace

std::string_view NameOf(JwtAlgorithm algorithm) {
  switch (algorithm) {
    case JwtAlgorithm::kHs256:
      return "HS256";
    case JwtAlgorithm::kRs256:
      return "RS256";
    case JwtAlgorithm::kEs256:
      return "ES256";
    case JwtAlgorithm::kEdDsa:
      return "EdDSA";
  }
  return "";
}

JwtKey::JwtKey(JwtAlgorithm algorithm, EVP_PKEY* key)
    : algorithm_(algorithm), key_(key, EVP_PKEY_free) {}

absl::StatusOr<JwtKey> JwtKey::FromSecret(std::string secret) {
  if (secret.size() < kJwtSecretBytesMin) {
    return absl::InvalidArgumentError(
        fmt::format("the secret has {} bytes, HS256 needs at least {}; make one with: "
                    "openssl rand -base64 48",
                    secret.size(), kJwtSecretBytesMin));
  }
  EVP_PKEY* key =
      EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, nullptr, Bytes(secret), secret.size());
  OPENSSL_cleanse(secret.data(), secret.size());
  if (key == nullptr) {
    ERR_clear_error();
    return absl::InternalError("OpenSSL refused the secret");
  }
  return JwtKey(JwtAlgorithm::kHs256, key);
}

absl::StatusOr<JwtKey> JwtKey::FromSecretFile(const std::string& path) {
  absl::StatusOr<std::string> secret = ReadBoundedFile(path, kSecretFileLimit);
  if (absl::IsNotFound(secret.status())) {
    const size_t slash = path.rfind('/');
    const std::string make_folder = slash == std::string::npos || slash == 0
                                        ? ""
                                        : fmt::format("mkdir -p {} && ", path.substr(0, slash));
    return absl::NotFoundError(
        fmt::format("cannot read the secret file {}; make one with: "
                    "{}(umask 077; openssl rand -base64 48 > {})",
                    path, make_folder, path));
  }
  if (!secret.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{} is over {} bytes: not a file with a secret", path, kSecretFileLimit));
  }
  while (!secret->empty() && (secret->back() == '\n' || secret->back() == '\r')) secret->pop_back();
  absl::StatusOr<JwtKey> key = FromSecret(*std::move(secret));
  if (key.ok()) return key;
  return absl::Status(key.status().code(),
                      fmt::format("{}: {}", path, std::string(key.status().message())));
}

absl::StatusOr<JwtKey> JwtKey::FromRsa(std::string_view modulus, std::string_view exponent) {
  // Numbers of a size no key has are not even looked at.
  constexpr size_t kModulusBytes = static_cast<size_t>(kJwtRsaBitsLimit) / 8 + 1;
  const Owned<BIGNUM> n = Number(modulus.substr(0, kModulusBytes + 1));
  const Owned<BIGNUM> e = Number(exponent.substr(0, 9));
  if (n == nullptr || e == nullptr) return absl::InternalError("out of memory");
  const int bits = modulus.size() > kModulusBytes ? kJwtRsaBitsLimit + 1 : BN_num_bits(n.get());
  if (bits < kJwtRsaBitsMin) {
    return absl::InvalidArgumentError(
        fmt::format("the RSA key has {} bits; at least {} are needed", bits, kJwtRsaBitsMin));
  }
  if (bits > kJwtRsaBitsLimit) {
    return absl::InvalidArgumentError(
        fmt::format("the RSA key has more than {} bits", kJwtRsaBitsLimit));
  }
  if (exponent.size() > 8 || BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) == 1) {
    return absl::InvalidArgumentError(
        "the RSA exponent (e) must be odd, above 1 and of 8 bytes at most");
  }
  const Owned<OSSL_PARAM_BLD> parts = NewParts();
  EVP_PKEY* key = nullptr;
  if (parts != nullptr &&
      OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
      OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1) {
    key = MakeKey("RSA", parts.get());
  }
  if (key == nullptr) return absl::InvalidArgumentError("n and e are no RSA key");
  return JwtKey(JwtAlgorithm::kRs256, key);
}

absl::StatusOr<JwtKey> JwtKey::FromP256(std::string_view x, std::string_view y) {
  if (x.size() != kNumberBytes || y.size() != kNumberBytes) {
    return absl::InvalidArgumentError(
        fmt::format("x and y of P-256 have 32 bytes each, not {} and {}", x.size(), y.size()));
  }
  const std::string point = fmt::format("\x04{}{}", x, y);
  const Owned<OSSL_PARAM_BLD> parts = NewParts();
  EVP_PKEY* key = nullptr;
  if (parts != nullptr &&
      OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) == 1) {
    key = MakeKey("EC", parts.get());
  }
  if (key == nullptr) return absl::InvalidArgumentError("x and y are no point of P-256");
  return JwtKey(JwtAlgorithm::kEs256, key);
}

absl::StatusOr<JwtKey> JwtKey::FromEd25519(std::string_view x) {
  if (x.size() != kNumberBytes) {
    return absl::InvalidArgumentError(fmt::format("x of Ed25519 has 32 bytes, not {}", x.size()));
  }
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(x), x.size());
  if (key == nullptr) {
    ERR_clear_error();
    return absl::InvalidArgumentError("x is no key of Ed25519");
  }
  return JwtKey(JwtAlgorithm::kEdDsa, key);
}

std::string JwtKey::Sign(std::string_view input) const {
  if (algorithm_ != JwtAlgorithm::kHs256) return "";
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> signature{};
  size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, Bytes(input), input.size()) != 1) {
    ERR_clear_error();
    return "";
  }
  return {signature.begin(), signature.begin() + static_cast<std::ptrdiff_t>(size)};
}

bool JwtKey::HasSigned(std::string_view input, std::string_view signature) const {
  switch (algorithm_) {
    case JwtAlgorithm::kHs256: {
      const std::string expected = Sign(input);
      return !expected.empty() && expected.size() == signature.size() &&
             CRYPTO_memcmp(expected.data(), signature.data(), expected.size()) == 0;
    }
    case JwtAlgorithm::kRs256:
      return IsSignedBy(key_.get(), EVP_sha256(), input, signature);
    case JwtAlgorithm::kEs256: {
      if (signature.size() != kSignatureBytes) return false;
      const std::string der = DerOfSignature(signature);
      return !der.empty() && IsSignedBy(key_.get(), EVP_sha256(), input, der);
    }
    case JwtAlgorithm::kEdDsa:
      return signature.size() == kSignatureBytes &&
             IsSignedBy(key_.get(), nullptr, input, signature);
  }
  return false;
}

}  // namespace confab::process
