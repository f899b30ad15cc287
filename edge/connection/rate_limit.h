// rate_limit.h: token bucket: so many per second on average, so many at once.
// Owns: one time point.   Used by: connection, the tables of addresses and users.
// Threads: confined to the io thread, SharedRateBucket any thread. Time is a parameter.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

#include <absl/status/statusor.h>

namespace confab::edge {

// One limit, shared by all its buckets.
struct RateLimit {
  // "10/30": 10 a second, 30 at once. "off": no limit. INVALID_ARGUMENT otherwise; 1 <= each <=
  // 1,000,000.
  static absl::StatusOr<RateLimit> Parse(std::string_view text);

  bool is_off() const { return per_period == 0; }

  uint32_t per_period = 0;
  uint32_t burst = 0;
  uint32_t period_seconds = 1;  // 60: a rate a minute.
};

// The state of one bucket: 8 bytes. A new one is full.
class RateBucket {
 public:
  // Takes one token. 0: taken. Otherwise nothing was taken, and one is there in so many
  // milliseconds.
  [[nodiscard]] uint32_t Take(const RateLimit& limit, std::chrono::steady_clock::time_point now);
  // What Take would give; nothing is taken.
  uint32_t WaitFor(const RateLimit& limit, std::chrono::steady_clock::time_point now) const;

  // As if it were new.
  bool IsFull(std::chrono::steady_clock::time_point now) const { return full_at_ <= now; }

 private:
  // When the bucket is full again, were nothing more taken (generic cell rate algorithm).
  std::chrono::steady_clock::time_point full_at_{};
};

// The same for takers on several threads.
class SharedRateBucket {
 public:
  [[nodiscard]] uint32_t Take(const RateLimit& limit, std::chrono::steady_clock::time_point now);
  bool IsFull(std::chrono::steady_clock::time_point now) const {
    return full_at_.load(std::memory_order_relaxed) <= now.time_since_epoch().count();
  }

 private:
  std::atomic<std::chrono::steady_clock::rep> full_at_{0};
};

}  // namespace confab::edge
