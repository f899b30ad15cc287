// user_table.h: what one user has open and sends, over all connections and io threads of this edge.
// Asked when a connection's user is known and when it goes; a message takes from the share that the
// connection holds, without a lock.
// Owns: the shares.   Used by: io_thread (enters and leaves), connection (takes).
// Threads: any thread (guarded by `mu_`); a share's bucket is atomic.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>

#include "edge/connection/rate_limit.h"
#include "process/mutex.h"

namespace confab::edge {

// What connections of one user have in common.
class UserShare {
 public:
  // As RateBucket::Take.
  [[nodiscard]] std::uint32_t TakeSend(const RateLimit& limit,
                                       std::chrono::steady_clock::time_point now) {
    return sends_.Take(limit, now);
  }

 private:
  friend class UserTable;

  SharedRateBucket sends_;
  std::uint32_t holders_ = 0;
  std::uint64_t user_ = 0;
  absl::InlinedVector<std::uint64_t, 2> connections_;  // The oldest first.
};

class UserTable {
 public:
  // Users who have gone keep a share until its bucket is full again, or they would send at once what
  // they may send in a while. Beyond so many (1 MB) all those go.
  static constexpr std::size_t kGoneLimit = 10'000;

  // 0: any number of connections.
  explicit UserTable(std::size_t connections_limit, std::size_t gone_limit = kGoneLimit)
      : gone_limit_(gone_limit), connections_limit_(connections_limit) {}

  void SetLimit(std::size_t connections_limit);

  struct Entered {
    UserShare* share;        // Until Leave.
    std::uint64_t replaced;  // The user's oldest connection, one too many now; 0: none.
  };
  // `connection` 0: one that does not count, such as a request over HTTP, or not yet.
  Entered Enter(std::string_view user, std::uint64_t connection);
  // One that has entered as 0 counts from now on. As Entered::replaced.
  std::uint64_t Count(UserShare& share, std::uint64_t connection);
  void Leave(UserShare& share, std::uint64_t connection, std::chrono::steady_clock::time_point now);

  std::size_t size() const;

 private:
  std::uint64_t Add(UserShare& share, std::uint64_t connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetGone(std::chrono::steady_clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::size_t gone_limit_;
  mutable process::Mutex mu_;
  std::size_t connections_limit_ ABSL_GUARDED_BY(mu_);
  // By a hash of the user's id: 64 bits tell users apart well enough for a limit.
  absl::flat_hash_map<std::uint64_t, std::unique_ptr<UserShare>> shares_ ABSL_GUARDED_BY(mu_);
  std::size_t gone_ ABSL_GUARDED_BY(mu_) = 0;  // Shares that nobody holds.
};

}  // namespace confab::edge
