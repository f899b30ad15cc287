#include "edge/connection/rate_limit.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <absl/status/status.h>
#include <fmt/format.h>

namespace confab::edge {
namespace {

constexpr uint32_t kRateMax = 1'000'000;

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

uint32_t RateBucket::Take(const RateLimit& limit, std::chrono::steady_clock::time_point now) {
  using std::chrono::nanoseconds;
  if (limit.is_off()) return 0;
  const nanoseconds token(1'000'000'000 / limit.per_second);
  const auto full_at = std::max(full_at_, now) + token;
  const nanoseconds missing = full_at - now - token * limit.burst;
  if (missing > nanoseconds::zero()) {
    return static_cast<uint32_t>(std::chrono::ceil<std::chrono::milliseconds>(missing).count());
  }
  full_at_ = full_at;
  return 0;
}

}  // namespace confab::edge
