// origin_policy.h: which web pages may open a socket (the Origin header of the upgrade request).
// Owns: the list.   Used by: listener.
// Threads: immutable; any thread.
// Fails: INVALID_ARGUMENT for a list entry that is no origin.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

namespace confab::edge {

class OriginPolicy {
 public:
  // Entries are origins ("https://chat.example", "http://localhost:3000"), "null", or "*" for all.
  static absl::StatusOr<OriginPolicy> Create(const std::vector<std::string>& allowed,
                                             bool is_loopback_listener);

  // `origin`: the header as sent, nullopt if none was (no browser). `host`: the Host header.
  // Allowed: no origin; the same host; any localhost origin on a loopback listener; what is listed.
  bool Allows(std::optional<std::string_view> origin, std::string_view host) const;

 private:
  OriginPolicy() = default;

  std::vector<std::string> allowed_;  // Normalised: lower case, no default port.
  bool allows_any_ = false;
  bool allows_null_ = false;
  bool is_loopback_listener_ = false;
};

}  // namespace confab::edge
