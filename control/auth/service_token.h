// service_token.h: who a service is and what it may do, from its token.
// Owns: the key.   Used by: api (every call), confabctl and tests (minting).
// Threads: immutable.
// Fails: TOKEN_MISSING, TOKEN_EXPIRED, TOKEN_INVALID or SCOPE_MISSING as a refusal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "control/auth/scope.h"
#include "process/jwt.h"

namespace confab::control {

// `aud` of a service token. A user's token has another one or none, and is refused here.
inline constexpr char kServiceAudience[] = "control";

struct ServiceIdentity {
  std::string name;  // Claim sub, 1 to 128 bytes.
  ScopeSet scopes;
};

class ServiceTokenVerifier {
 public:
  explicit ServiceTokenVerifier(process::JwtKey key);

  // Claims: sub, aud "control", exp, and scope as "a b" or scopes as ["a", "b"]. Words that are
  // no scope here are passed over: the token may be meant for a newer control too.
  absl::StatusOr<ServiceIdentity> Verify(std::string_view token, absl::Time now) const;

  // Verify and ask for the method's scope. Refuses a method that stands in no table.
  absl::StatusOr<ServiceIdentity> Admit(std::string_view token, std::string_view method,
                                        absl::Time now) const;

 private:
  process::JwtKey key_;
};

// A token as Verify takes it.
std::string MintServiceToken(const process::JwtKey& key, std::string_view name,
                             const std::vector<Scope>& scopes, absl::Time now, absl::Duration ttl);

}  // namespace confab::control
