// user_rates.h: the rates of users over HTTP. A socket's connection keeps its own; here each request
// is a connection of its own, so the user's buckets outlive it. Messages count with those of the
// user's sockets (user_table).
// Owns: the buckets of users that asked lately.   Used by: http_exchange.
// Threads: confined to the io thread: a user with requests on several has a rate on each.
// Fails: a refusal with the time to wait.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include <absl/container/flat_hash_map.h>

#include "confab/v1/edge_link.pb.h"

#include "edge/connection/connection.h"

namespace confab::edge {

class UserRates {
 public:
  // About 2 MB. Beyond it those go whose buckets are full again, and if nobody's are, all: the rate
  // of single users is no defence against so many at once.
  static constexpr std::size_t kUsersLimit = 10'000;

  explicit UserRates(std::size_t users_limit = kUsersLimit) : users_limit_(users_limit) {}

  // nullopt: the command may go on.
  std::optional<v1::Error> Take(const std::string& user, const v1::Command& command,
                                const ConnectionLimits& limits,
                                std::chrono::steady_clock::time_point now);

  std::size_t size() const { return users_.size(); }

 private:
  struct Buckets {
    RateBucket frames;
    RateBucket joins;
  };
  void MakeRoom(std::chrono::steady_clock::time_point now);

  const std::size_t users_limit_;
  absl::flat_hash_map<std::string, Buckets> users_;
};

}  // namespace confab::edge
