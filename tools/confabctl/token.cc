// confabctl token: mint and inspect. Works without control.
#include <istream>
#include <memory>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>
#include <absl/strings/escaping.h>
#include <absl/time/clock.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "control/auth/service_token.h"
#include "process/jwt.h"
#include "tools/confabctl/command_line.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

using control::Scope;

constexpr size_t kIdBytesLimit = 128;  // As every id.

struct MintOptions {
  std::string user;
  std::string name;
  std::string email;
  std::string issuer;
  std::string audience;
  std::string service;
  std::vector<std::string> scopes;
  std::string ttl = "1h";
  std::string user_secret_file;
};

struct InspectOptions {
  std::string token;
  std::string user_secret_file;
};

std::string AllScopes() {
  std::string words;
  for (size_t i = 0; i < control::kScopeCount; ++i) {
    words += fmt::format("{}{}", i == 0 ? "" : " ", control::WordOf(static_cast<Scope>(i)));
  }
  return words;
}

std::optional<process::JwtKey> ReadKey(const Invocation& run, const std::string& flag,
                                       const std::string& path, Exit* exit) {
  if (path.empty()) {
    *exit = run.Fail(Exit::kUsage, fmt::format("set --{}: the file with the secret that signs such "
                                               "tokens",
                                               flag));
    return std::nullopt;
  }
  absl::StatusOr<process::JwtKey> key = process::JwtKey::FromSecretFile(path);
  if (!key.ok()) {
    *exit =
        run.Fail(Exit::kUsage, fmt::format("--{}: {}", flag, std::string(key.status().message())));
    return std::nullopt;
  }
  return *std::move(key);
}

Exit PrintToken(const Invocation& run, const std::string& token, absl::Time expires) {
  if (run.is_json) {
    boost::json::object json;
    json["token"] = token;
    json["expiresAt"] = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", expires, absl::UTCTimeZone());
    run.streams.out << boost::json::serialize(json) << '\n';
  } else {
    run.streams.out << token << '\n';
  }
  return Exit::kDone;
}

Exit MintUser(const Invocation& run, const MintOptions& options, absl::Time now,
              absl::Duration ttl) {
  if (options.user.size() > kIdBytesLimit) {
    return run.Fail(Exit::kUsage, "--user: an id is at most 128 bytes");
  }
  Exit exit = Exit::kDone;
  const auto key = ReadKey(run, "user-secret-file", options.user_secret_file, &exit);
  if (!key.has_value()) return exit;
  boost::json::object claims;
  claims["sub"] = options.user;
  if (!options.name.empty()) claims["name"] = options.name;
  if (!options.email.empty()) claims["email"] = options.email;
  if (!options.issuer.empty()) claims["iss"] = options.issuer;
  if (!options.audience.empty()) claims["aud"] = options.audience;
  claims["iat"] = absl::ToUnixSeconds(now);
  claims["exp"] = absl::ToUnixSeconds(now + ttl);
  return PrintToken(run, process::SignJwt(claims, *key), now + ttl);
}

Exit MintService(const Invocation& run, const MintOptions& options, absl::Time now,
                 absl::Duration ttl) {
  if (options.service.size() > kIdBytesLimit) {
    return run.Fail(Exit::kUsage, "--service: a name is at most 128 bytes");
  }
  std::vector<Scope> scopes;
  for (const std::string& word : options.scopes) {
    const std::optional<Scope> scope = control::ScopeOfWord(word);
    if (!scope.has_value()) {
      return run.Fail(Exit::kUsage, fmt::format("--scopes: there is no scope {}; there are {}",
                                                Printable(word), AllScopes()));
    }
    scopes.push_back(*scope);
  }
  if (scopes.empty()) {
    return run.Fail(Exit::kUsage, "--scopes: say what the service may do: " + AllScopes());
  }
  Exit exit = Exit::kDone;
  const auto key = ReadKey(run, "service-secret-file", run.service_secret_file, &exit);
  if (!key.has_value()) return exit;
  return PrintToken(run, control::MintServiceToken(*key, options.service, scopes, now, ttl),
                    now + ttl);
}

Exit Mint(Invocation& run, const MintOptions& options) {
  absl::Duration ttl;
  if (!ParseTime(options.ttl, &ttl) || ttl < absl::Seconds(1)) {
    return run.Fail(Exit::kUsage,
                    fmt::format("--ttl {}: give a time such as 90s, 15m or 1h", options.ttl));
  }
  if (options.user.empty() == options.service.empty()) {
    return run.Fail(Exit::kUsage, "give --user ID or --service NAME: whom the token is for");
  }
  const absl::Time now = absl::Now();
  return options.user.empty() ? MintService(run, options, now, ttl)
                              : MintUser(run, options, now, ttl);
}

std::optional<boost::json::object> ReadPart(std::string_view part) {
  std::string text;
  if (!absl::WebSafeBase64Unescape(absl::string_view(part.data(), part.size()), &text)) {
    return std::nullopt;
  }
  boost::json::error_code error;
  boost::json::value value = boost::json::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

struct Verdict {
  std::string text;
  Exit exit = Exit::kDone;
};

// With no secret given only the time is looked at.
Verdict Judge(const Invocation& run, const InspectOptions& options, const std::string& token,
              const boost::json::object& claims) {
  const std::string& path =
      options.user_secret_file.empty() ? run.service_secret_file : options.user_secret_file;
  if (!path.empty()) {
    const absl::StatusOr<process::JwtKey> key = process::JwtKey::FromSecretFile(path);
    if (!key.ok()) {
      return {fmt::format("not checked: {}", std::string(key.status().message())), Exit::kUsage};
    }
    const process::JwtVerdict verdict =
        process::VerifyJwt(token, *key, process::JwtPolicy{}, absl::Now());
    if (verdict.ok()) return {"valid"};
    return {fmt::format("refused: {}", verdict.message), Exit::kRefused};
  }
  const boost::json::value* exp = claims.if_contains("exp");
  if (exp == nullptr || !exp->is_number()) return {"refused: exp is missing"};
  const auto expires = absl::FromUnixSeconds(exp->to_number<int64_t>());
  if (expires < absl::Now()) return {"expired (the signature was not checked)"};
  return {"not expired (the signature was not checked: no secret given)"};
}

Exit Inspect(Invocation& run, const InspectOptions& options) {
  std::string token = options.token;
  if (token == "-") std::getline(run.streams.in, token);
  if (token.starts_with("Bearer ")) token.erase(0, 7);
  const size_t first = token.find('.');
  const size_t second = first == std::string::npos ? first : token.find('.', first + 1);
  const std::string_view view(token);
  const auto header = second == std::string::npos ? std::nullopt : ReadPart(view.substr(0, first));
  const auto claims = second == std::string::npos
                          ? std::nullopt
                          : ReadPart(view.substr(first + 1, second - first - 1));
  if (!header.has_value() || !claims.has_value()) {
    return run.Fail(Exit::kUsage, "that is no token: a JWT is three base64url parts with dots");
  }
  const Verdict verdict = Judge(run, options, token, *claims);
  if (run.is_json) {
    boost::json::object json;
    json["header"] = *header;
    json["claims"] = *claims;
    json["verdict"] = verdict.text;
    run.streams.out << boost::json::serialize(json) << '\n';
    return verdict.exit;
  }
  run.streams.out << "header:  " << boost::json::serialize(*header) << '\n';
  for (const auto& [name, value] : *claims) {
    std::string shown = boost::json::serialize(value);
    if ((name == "exp" || name == "iat" || name == "nbf") && value.is_number()) {
      boost::json::error_code error;
      const auto seconds = value.to_number<int64_t>(error);
      if (!error) {
        shown += "  " + absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(seconds),
                                         absl::UTCTimeZone());
      }
    }
    run.streams.out << fmt::format("{:<8} {}\n", Printable({name.data(), name.size()}) + ":",
                                   Printable(shown));
  }
  run.streams.out << "verdict: " << verdict.text << '\n';
  return verdict.exit;
}

void AddMint(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<MintOptions>();
  CLI::App* verb = noun.add_subcommand("mint", "Signs a token for a user or for a service");
  CLI::Option* user = verb->add_option("--user", options->user, "Id of the user (claim sub)");
  verb->add_option("--name", options->name, "Display name")->needs(user);
  verb->add_option("--email", options->email, "E-mail address")->needs(user);
  verb->add_option("--issuer", options->issuer, "Claim iss, if the edge asks for one")->needs(user);
  verb->add_option("--audience", options->audience, "Claim aud, if the edge asks for one")
      ->needs(user);
  CLI::Option* service =
      verb->add_option("--service", options->service, "Name of the service")->excludes(user);
  verb->add_option("--scopes", options->scopes, "What the service may do: a,b. Of: " + AllScopes())
      ->delimiter(',')
      ->allow_extra_args(false)
      ->needs(service);
  verb->add_option("--ttl", options->ttl, "How long it is valid")->capture_default_str();
  verb->add_option("--user-secret-file", options->user_secret_file,
                   "Secret of users' tokens, as the edge has it")
      ->envname("CONFAB_USER_SECRET_FILE")
      ->type_name("FILE");
  verb->footer(
      "Examples:\n"
      "  confabctl token mint --user ann --name Ann --user-secret-file user.secret\n"
      "  confabctl token mint --service billing --scopes rooms:read,messages:write --ttl 24h \\\n"
      "    --service-secret-file service.secret");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return Mint(r, *options); }; });
}

void AddInspect(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* verb =
      noun.add_subcommand("inspect", "Shows what a token says, and checks it if a secret is given");
  verb->add_option("TOKEN", options->token, "The token; - reads it from standard input")
      ->required();
  verb->add_option("--user-secret-file", options->user_secret_file,
                   "Check it as a user's token (--service-secret-file: as a service's)")
      ->type_name("FILE");
  verb->footer(
      "Exits with 1 if a secret is given and the token is not valid.\n"
      "\nExamples:\n"
      "  confabctl token inspect eyJhbGciOi...\n"
      "  confabctl token mint --user ann --user-secret-file user.secret | \\\n"
      "    confabctl token inspect - --user-secret-file user.secret");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return Inspect(r, *options); }; });
}

}  // namespace

void AddTokenVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun = AddNoun(app, "token", "Mints and inspects tokens; works without control");
  AddMint(*noun, run);
  AddInspect(*noun, run);
}

}  // namespace confab::ctl
