// token_life.h: until when a connection's token is good, on a clock that nobody sets: the end is
// taken from the token once, when it is verified.
// Owns: three numbers.   Used by: connection.
// Threads: confined to the io thread. Time is a parameter.
#pragma once

#include <chrono>
#include <cstdint>

#include <absl/time/time.h>

namespace confab::edge {

struct TokenLimits {
  // The client is told so long before the end: for its issuer to be asked, also a second time.
  absl::Duration lead = absl::Seconds(60);
  // After the end: for a token renewed in time to arrive.
  absl::Duration grace = absl::Seconds(25);
};

class TokenLife {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  enum class Step : std::uint8_t {
    kNone,
    kWarn,  // The end is near; said once for each token.
    kEnd,   // It is over, and the grace too.
  };

  // A token that is good until `expires_at`, seen at `wall_now`, which is `now`.
  void Begin(absl::Time expires_at, absl::Time wall_now, SteadyTime now);

  // What is due. After kWarn and kNone there is nothing before NextAt.
  Step Check(const TokenLimits& limits, SteadyTime now);
  // Never (max) while no token has begun; the second is when kEnd is due.
  SteadyTime NextAt(const TokenLimits& limits) const;
  SteadyTime OverAt(const TokenLimits& limits) const;

  // As the token says it.
  absl::Time expires_at() const { return absl::FromUnixMillis(expires_at_ms_); }

 private:
  SteadyTime ends_at_ = SteadyTime::max();
  std::int64_t expires_at_ms_ = 0;
  bool is_told_ = false;
};

}  // namespace confab::edge
