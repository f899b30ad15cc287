// user_keys.h: the keys that check user tokens, from the files that the options name.
// Threads: any thread.
#pragma once

#include <absl/status/statusor.h>

#include "edge/edge_config.h"
#include "process/jwt_key_set.h"

namespace confab::edge {

// All of them or none. INVALID_ARGUMENT, NOT_FOUND: names the option, the file, the key and what is
// wrong. Keys that are passed over are told in the log.
absl::StatusOr<process::JwtKeySet> LoadUserKeys(const EdgeConfig& config);

}  // namespace confab::edge
