// jwk.h: one JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037) -> a key that checks.
// Threads: any thread.
#pragma once

#include <optional>
#include <string>

#include <absl/status/statusor.h>
#include <boost/json/object.hpp>

#include "process/jwt_key.h"

namespace confab::process {

struct Jwk {
  std::optional<std::string> kid;
  std::optional<JwtKey> key;  // nullopt: not for us; `note` says why.
  std::string note;
};

// INVALID_ARGUMENT: it is meant for us and faulty.
absl::StatusOr<Jwk> ReadJwk(const boost::json::object& json);

}  // namespace confab::process
