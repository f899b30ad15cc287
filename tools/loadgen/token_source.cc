#include "tools/loadgen/token_source.h"

#include <unordered_set>

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_split.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "process/bounded_file.h"
#include "process/jwt.h"

namespace confab::loadgen {
namespace {

constexpr size_t kFileBytesLimit = 256 * 1024 * 1024;  // A million short tokens.

// The user an edge finds in a token, with its default options.
std::string UserIn(const std::string& token) {
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  std::string text;
  if (parts.size() != 3 || !absl::WebSafeBase64Unescape(parts[1], &text)) return "";
  boost::json::error_code error;
  const boost::json::value claims = boost::json::parse(text, error);
  if (error || !claims.is_object()) return "";
  for (const char* name : {"sub", "userId", "id"}) {
    const boost::json::value* claim = claims.get_object().if_contains(name);
    if (claim == nullptr) continue;
    if (claim->is_string()) return std::string(claim->get_string());
    if (claim->is_int64()) return std::to_string(claim->get_int64());
  }
  return "";
}

}  // namespace

absl::StatusOr<TokenSource> TokenSource::Open(const TokenOptions& options, const std::string& run,
                                              uint32_t users, absl::Time now, absl::Time expires) {
  TokenSource source;
  source.options_ = options;
  source.run_ = run;
  source.now_ = now;
  source.expires_ = expires;
  if (!options.token_file.empty()) {
    if (absl::Status status = source.ReadFile(options.token_file, users); !status.ok()) {
      return status;
    }
    return source;
  }
  if (options.user_secret_file.empty()) {
    return absl::InvalidArgumentError(
        "set --user-secret-file: the secret that signs users' tokens, as the edge has it (tools/up "
        "keeps it in data/user.secret); or --token-file: ready tokens, one a line");
  }
  absl::StatusOr<process::JwtKey> key = process::JwtKey::FromSecretFile(options.user_secret_file);
  if (!key.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("--user-secret-file: {}", std::string(key.status().message())));
  }
  source.key_ = *std::move(key);
  return source;
}

absl::StatusOr<TokenSource::Given> TokenSource::ReadToken(const std::string& token, size_t line) {
  Given given{UserIn(token), token};
  if (!given.user.empty()) return given;
  return absl::InvalidArgumentError(fmt::format(
      "--token-file: line {} is no token of a user: three base64url parts with dots, claim sub",
      line));
}

absl::Status TokenSource::ReadFile(const std::string& path, uint32_t users) {
  const absl::StatusOr<std::string> text = process::ReadBoundedFile(path, kFileBytesLimit);
  if (!text.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("--token-file: {}", std::string(text.status().message())));
  }
  std::unordered_set<std::string> known;
  size_t line = 0;
  for (const absl::string_view part : absl::StrSplit(*text, '\n')) {
    ++line;
    const std::string token(absl::StripAsciiWhitespace(part));
    if (token.empty()) continue;
    absl::StatusOr<Given> given = ReadToken(token, line);
    if (!given.ok()) return given.status();
    if (!known.insert(given->user).second) {
      return absl::InvalidArgumentError(
          fmt::format("--token-file: line {} is a second token of its user", line));
    }
    given_.push_back(*std::move(given));
  }
  if (given_.size() >= users) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "--token-file: {} tokens are too few, {} users are needed; ask for fewer or mint more: "
      "confabctl token mint --user ID --user-secret-file FILE",
      given_.size(), users));
}

std::string TokenSource::UserOf(uint32_t member) const {
  return given_.empty() ? fmt::format("load-{}-{}", run_, member) : given_[member].user;
}

std::string TokenSource::TokenOf(uint32_t member) const {
  if (!given_.empty()) return given_[member].token;
  boost::json::object claims;
  claims["sub"] = UserOf(member);
  if (!options_.issuer.empty()) claims["iss"] = options_.issuer;
  if (!options_.audience.empty()) claims["aud"] = options_.audience;
  claims["iat"] = absl::ToUnixSeconds(now_);
  claims["exp"] = absl::ToUnixSeconds(expires_);
  return process::SignJwt(claims, *key_);
}

}  // namespace confab::loadgen
