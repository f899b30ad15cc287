#include "edge/auth/user_keys.h"

#include <optional>
#include <string>
#include <utility>

#include <absl/status/status.h>
#include <fmt/format.h>

#include "process/log.h"

namespace confab::edge {

absl::StatusOr<process::JwtKeySet> LoadUserKeys(const EdgeConfig& config) {
  std::optional<process::JwtKeySet> keys;
  if (!config.user_keys_file.empty()) {
    absl::StatusOr<process::JwtKeySet> read = process::JwtKeySet::FromFile(config.user_keys_file);
    if (!read.ok()) {
      return absl::Status(read.status().code(), fmt::format("--user-keys-file: {}",
                                                            std::string(read.status().message())));
    }
    keys = *std::move(read);
    for (const std::string& note : keys->notes()) {
      process::LogWarn("a key of user tokens is not used",
                       {{"file", config.user_keys_file}, {"why", note}});
    }
  }
  if (!config.user_secret_file.empty()) {
    absl::StatusOr<process::JwtKey> secret =
        process::JwtKey::FromSecretFile(config.user_secret_file);
    if (!secret.ok()) return secret.status();
    if (keys) {
      keys->Add(*std::move(secret));
    } else {
      keys.emplace(*std::move(secret));
    }
  }
  if (!keys) return absl::InvalidArgumentError("neither --user-keys-file nor --user-secret-file");
  return *std::move(keys);
}

}  // namespace confab::edge
