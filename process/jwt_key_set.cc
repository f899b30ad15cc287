#include "process/jwt_key_set.h"

#include <algorithm>
#include <utility>

#include <absl/status/status.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "process/bounded_file.h"
#include "process/jwk.h"

namespace confab::process {
namespace {

namespace json = boost::json;

// "key 2 (kid "a")": what an operator can find in the file. Names of a document nobody has checked
// are shown without what a terminal would act on.
std::string NameKey(size_t index, const json::value& value) {
  const json::object* jwk = value.if_object();
  const json::value* kid = jwk == nullptr ? nullptr : jwk->if_contains("kid");
  if (kid == nullptr || !kid->is_string()) return fmt::format("key {}", index);
  constexpr size_t kShown = 64;
  std::string shown(std::string_view(kid->get_string()).substr(0, kShown));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < ' ' || c == '"' || c == '\x7f'; }, '?');
  return fmt::format("key {} (kid \"{}\")", index, shown);
}

}  // namespace

JwtKeySet::JwtKeySet(JwtKey key) { Add(std::move(key)); }

absl::StatusOr<JwtKeySet> JwtKeySet::Parse(std::string_view jwks) {
  boost::system::error_code error;
  const json::value document = json::parse({jwks.data(), jwks.size()}, error);
  if (error) return absl::InvalidArgumentError(fmt::format("is no JSON: {}", error.message()));
  const json::object* object = document.if_object();
  const json::value* keys = object == nullptr ? nullptr : object->if_contains("keys");
  if (keys == nullptr || !keys->is_array()) {
    return absl::InvalidArgumentError("is no JWKS document: {\"keys\": [...]} is expected");
  }
  const json::array& list = keys->get_array();
  if (list.size() > kJwksKeysLimit) {
    return absl::InvalidArgumentError(
        fmt::format("has {} keys; at most {} are allowed", list.size(), kJwksKeysLimit));
  }
  JwtKeySet set;
  set.names_keys_ = true;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string name = NameKey(i, list[i]);
    if (!list[i].is_object()) return absl::InvalidArgumentError(name + ": is no object");
    absl::StatusOr<Jwk> jwk = ReadJwk(list[i].get_object());
    if (!jwk.ok()) {
      return absl::InvalidArgumentError(
          fmt::format("{}: {}", name, std::string(jwk.status().message())));
    }
    if (!jwk->key) {
      set.notes_.push_back(fmt::format("{} is passed over: {}", name, jwk->note));
      continue;
    }
    if (jwk->kid && !set.Find(*jwk->kid, jwk->key->algorithm_name()).empty()) {
      return absl::InvalidArgumentError(name + ": its kid is that of an earlier key");
    }
    set.keys_.push_back({std::move(jwk->kid), *std::move(jwk->key)});
  }
  if (!set.keys_.empty()) return set;
  std::string why = "holds no key that could be used";
  for (const std::string& note : set.notes_) why += "; " + note;
  return absl::InvalidArgumentError(why);
}

absl::StatusOr<JwtKeySet> JwtKeySet::FromFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadBoundedFile(path, kJwksBytesLimit);
  if (!text.ok()) return text.status();
  absl::StatusOr<JwtKeySet> set = Parse(*text);
  if (set.ok()) return set;
  return absl::InvalidArgumentError(
      fmt::format("{}: {}", path, std::string(set.status().message())));
}

bool JwtKeySet::Knows(std::string_view kid) const {
  return std::any_of(keys_.begin(), keys_.end(), [&](const Entry& e) { return e.kid == kid; });
}

std::vector<const JwtKey*> JwtKeySet::Find(std::optional<std::string_view> kid,
                                           std::string_view algorithm) const {
  std::vector<const JwtKey*> found;
  for (const Entry& entry : keys_) {
    const bool is_named = !kid || !names_keys_ || entry.kid == *kid;
    if (is_named && entry.key.algorithm_name() == algorithm) found.push_back(&entry.key);
  }
  return found;
}

std::string JwtKeySet::AlgorithmNames() const {
  std::string names;
  for (const JwtAlgorithm algorithm :
       {JwtAlgorithm::kHs256, JwtAlgorithm::kRs256, JwtAlgorithm::kEs256, JwtAlgorithm::kEdDsa}) {
    const bool is_here = std::any_of(keys_.begin(), keys_.end(), [&](const Entry& entry) {
      return entry.key.algorithm() == algorithm;
    });
    if (is_here) names += fmt::format("{}{}", names.empty() ? "" : " or ", NameOf(algorithm));
  }
  return names;
}

}  // namespace confab::process
