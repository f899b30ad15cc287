// token_verifier.h: a user's token -> who the user is and until when, or why not.
// Owns: the keys.   Used by: connection.
// Threads: immutable; any thread.
// Fails: with an Error of reason TOKEN_MISSING, TOKEN_INVALID or TOKEN_EXPIRED; the message helps.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "confab/v1/types.pb.h"

#include "process/jwt.h"

namespace confab::edge {

// What a verified token says.
struct VerifiedUser {
  v1::User user;
  std::string email;
  std::string role_context;  // Claim roleContextId, else role; for topics of roles.
  absl::Time expires_at;     // Wall clock; turn it into a steady deadline at once.
};

// Claims to look at, in this order; the first that stands in the token counts.
struct ClaimNames {
  std::vector<std::string> user_id = {"sub", "userId", "id"};
  std::vector<std::string> name = {"name"};
  std::vector<std::string> email = {"email"};
  std::vector<std::string> role_context = {"roleContextId", "role"};
};

class TokenVerifier {
 public:
  explicit TokenVerifier(process::JwtKeySet keys, process::JwtPolicy policy = {},
                         ClaimNames claims = {});

  size_t key_count() const { return keys_.size(); }

  // `token` with or without "Bearer ". nullopt: verified, `user` is filled. A value: the refusal.
  std::optional<v1::Error> Verify(std::string_view token, absl::Time now, VerifiedUser& user) const;

 private:
  process::JwtKeySet keys_;
  process::JwtPolicy policy_;
  ClaimNames claims_;
};

}  // namespace confab::edge
