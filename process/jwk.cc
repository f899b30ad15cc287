#include "process/jwk.h"

#include <string_view>
#include <utility>

#include <absl/status/status.h>
#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "process/base64url.h"

namespace confab::process {
namespace {

namespace json = boost::json;

// A name, not a document; it is looked up for each token.
constexpr size_t kKidBytesLimit = 256;

// nullopt: absent. A member of another type is a fault.
absl::StatusOr<std::optional<std::string_view>> Text(const json::object& jwk,
                                                     std::string_view name) {
  const json::value* value = jwk.if_contains(name);
  if (value == nullptr) return std::optional<std::string_view>();
  const json::string* text = value->if_string();
  if (text == nullptr) return absl::InvalidArgumentError(fmt::format("{} is no string", name));
  return std::optional<std::string_view>(std::string_view(*text));
}

absl::StatusOr<std::string> Number(const json::object& jwk, std::string_view name) {
  const auto text = Text(jwk, name);
  if (!text.ok()) return text.status();
  if (!text->has_value() || (*text)->empty()) {
    return absl::InvalidArgumentError(fmt::format("{} is missing", name));
  }
  std::optional<std::string> bytes = DecodeBase64Url(**text);
  if (!bytes) {
    return absl::InvalidArgumentError(
        fmt::format("{} is no base64url (RFC 7515, 2: without padding)", name));
  }
  return *std::move(bytes);
}

// What kind of key this is, or why it is none of ours.
struct Kind {
  std::optional<JwtAlgorithm> algorithm;
  std::string note;
};

absl::StatusOr<Kind> KindOf(const json::object& jwk) {
  const auto kty = Text(jwk, "kty");
  if (!kty.ok()) return kty.status();
  if (!kty->has_value()) return absl::InvalidArgumentError("kty is missing");
  const auto crv = Text(jwk, "crv");
  if (!crv.ok()) return crv.status();
  const std::string_view curve = crv->value_or("");
  if (**kty == "RSA") return Kind{JwtAlgorithm::kRs256, ""};
  if (**kty == "oct") return Kind{JwtAlgorithm::kHs256, ""};
  if (**kty == "EC" && curve == "P-256") return Kind{JwtAlgorithm::kEs256, ""};
  if (**kty == "OKP" && curve == "Ed25519") return Kind{JwtAlgorithm::kEdDsa, ""};
  if (**kty == "EC" || **kty == "OKP") {
    if (!crv->has_value()) return absl::InvalidArgumentError("crv is missing");
    return Kind{std::nullopt,
                fmt::format("its curve (crv) is {}, known are P-256 and Ed25519", curve)};
  }
  return Kind{std::nullopt,
              fmt::format("its type (kty) is {}, known are RSA, EC, OKP and oct", **kty)};
}

// Why the key is not for checking tokens by `algorithm`; empty if it is.
absl::StatusOr<std::string> OtherPurpose(const json::object& jwk, JwtAlgorithm algorithm) {
  const auto use = Text(jwk, "use");
  if (!use.ok()) return use.status();
  if (use->has_value() && **use != "sig") return fmt::format("it is for use \"{}\"", **use);
  if (const json::value* ops = jwk.if_contains("key_ops")) {
    const json::array* list = ops->if_array();
    if (list == nullptr) return absl::InvalidArgumentError("key_ops is no list");
    bool may_verify = false;
    for (const json::value& op : *list) {
      const json::string* word = op.if_string();
      if (word == nullptr)
        return absl::InvalidArgumentError("key_ops has a word that is no string");
      may_verify = may_verify || *word == "verify";
    }
    if (!may_verify) return std::string("its key_ops are without \"verify\"");
  }
  const auto alg = Text(jwk, "alg");
  if (!alg.ok()) return alg.status();
  if (alg->has_value() && **alg != NameOf(algorithm)) {
    return fmt::format("its algorithm (alg) is {}, known for its type is {}", **alg,
                       NameOf(algorithm));
  }
  return std::string();
}

absl::StatusOr<JwtKey> KeyOf(const json::object& jwk, JwtAlgorithm algorithm) {
  if (algorithm == JwtAlgorithm::kHs256) {
    absl::StatusOr<std::string> secret = Number(jwk, "k");
    if (!secret.ok()) return secret.status();
    return JwtKey::FromSecret(*std::move(secret));
  }
  if (jwk.contains("d")) {
    return absl::InvalidArgumentError(
        "it holds the private key (d), which belongs to the issuer alone: leave the public part");
  }
  const bool is_rsa = algorithm == JwtAlgorithm::kRs256;
  const absl::StatusOr<std::string> first = Number(jwk, is_rsa ? "n" : "x");
  if (!first.ok()) return first.status();
  if (algorithm == JwtAlgorithm::kEdDsa) return JwtKey::FromEd25519(*first);
  const absl::StatusOr<std::string> second = Number(jwk, is_rsa ? "e" : "y");
  if (!second.ok()) return second.status();
  return is_rsa ? JwtKey::FromRsa(*first, *second) : JwtKey::FromP256(*first, *second);
}

}  // namespace

absl::StatusOr<Jwk> ReadJwk(const json::object& json) {
  Jwk jwk;
  const auto kid = Text(json, "kid");
  if (!kid.ok()) return kid.status();
  if (kid->has_value()) {
    if ((*kid)->size() > kKidBytesLimit) {
      return absl::InvalidArgumentError(fmt::format("kid is over {} bytes", kKidBytesLimit));
    }
    jwk.kid = std::string(**kid);
  }
  absl::StatusOr<Kind> kind = KindOf(json);
  if (!kind.ok()) return kind.status();
  jwk.note = std::move(kind->note);
  if (!kind->algorithm) return jwk;
  absl::StatusOr<std::string> other = OtherPurpose(json, *kind->algorithm);
  if (!other.ok()) return other.status();
  jwk.note = *std::move(other);
  if (!jwk.note.empty()) return jwk;
  absl::StatusOr<JwtKey> key = KeyOf(json, *kind->algorithm);
  if (!key.ok()) return key.status();
  jwk.key = *std::move(key);
  return jwk;
}

}  // namespace confab::process
