// token_source.h: the users of a load and their tokens: minted with the secret that the edge has, or
// read from a file, a token a line.
// Owns: the key, or the tokens.   Used by: room_builder, load_run.
// Threads: immutable.
// Fails: INVALID_ARGUMENT, NOT_FOUND say what to give.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "process/jwt_key.h"

namespace confab::loadgen {

struct TokenOptions {
  std::string user_secret_file;
  std::string token_file;
  std::string issuer;    // Claim iss, if the edge asks for one.
  std::string audience;  // Claim aud.
};

class TokenSource {
 public:
  // For so many users. `run` makes minted users other ones than those of other runs; minted tokens
  // are valid until `expires`.
  static absl::StatusOr<TokenSource> Open(const TokenOptions& options, const std::string& run,
                                          uint32_t users, absl::Time now, absl::Time expires);

  std::string UserOf(uint32_t member) const;
  std::string TokenOf(uint32_t member) const;

 private:
  TokenSource() = default;

  struct Given {
    std::string user;
    std::string token;
  };
  static absl::StatusOr<Given> ReadToken(const std::string& token, size_t line);
  absl::Status ReadFile(const std::string& path, uint32_t users);

  std::optional<process::JwtKey> key_;
  TokenOptions options_;
  std::string run_;
  absl::Time now_;
  absl::Time expires_;
  std::vector<Given> given_;
};

}  // namespace confab::loadgen
