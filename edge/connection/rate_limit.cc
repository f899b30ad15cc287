#include "edge/connection/rate_limit.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <absl/status/status.h>
#include <fmt/format.h>

namespace confab::edge {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr uint32_t kRateMax = 1'000'000;

// When a bucket would be full again behind one more token, or how long until there is one.
struct Taken {
  SteadyTime full_at;
  uint32_t wait_ms = 0;
};

Taken TakeFrom(SteadyTime full_at, const RateLimit& limit, SteadyTime now) {
  using std::chrono::nanoseconds;
  const nanoseconds token(int64_t{1'000'000'000} * limit.period_seconds / limit.per_period);
  const SteadyTime next = std::max(full_at, now) + token;
  const nanoseconds missing = next - now - token * limit.burst;
  if (missing <= nanoseconds::zero()) return {next, 0};
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(missing).count();
  return {full_at, static_cast<uint32_t>(wait)};
}

std::optional<uint32_t> ParseRate(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < 1 || value > kRateMax) return std::nullopt;
  return value;
}

}  // namespace

absl::StatusOr<RateLimit> RateLimit::Parse(std::string_view text) {
  if (text == "off") return RateLimit{};
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto per_second = ParseRate(text.substr(0, slash));
    const auto burst = ParseRate(text.substr(slash + 1));
    if (per_second && burst) return RateLimit{*per_second, *burst};
  }
  return absl::InvalidArgumentError(fmt::format(
      "\"{}\" is no rate limit: write PER_SECOND/BURST, each 1 to {}, or off", text, kRateMax));
}

uint32_t RateBucket::Take(const RateLimit& limit, SteadyTime now) {
  if (limit.is_off()) return 0;
  const Taken taken = TakeFrom(full_at_, limit, now);
  if (taken.wait_ms == 0) full_at_ = taken.full_at;
  return taken.wait_ms;
}

uint32_t RateBucket::WaitFor(const RateLimit& limit, SteadyTime now) const {
  return limit.is_off() ? 0 : TakeFrom(full_at_, limit, now).wait_ms;
}

uint32_t SharedRateBucket::Take(const RateLimit& limit, SteadyTime now) {
  if (limit.is_off()) return 0;
  auto seen = full_at_.load(std::memory_order_relaxed);
  for (;;) {
    const Taken taken = TakeFrom(SteadyTime(SteadyTime::duration(seen)), limit, now);
    if (taken.wait_ms != 0) return taken.wait_ms;
    if (full_at_.compare_exchange_weak(seen, taken.full_at.time_since_epoch().count(),
                                       std::memory_order_relaxed)) {
      return 0;
    }
  }
}

}  // namespace confab::edge
