#include "edge/http_api/user_rates.h"

#include <string_view>

#include <fmt/format.h>

#include "proto/reason.h"

namespace confab::edge {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

std::optional<v1::Error> TakeOne(RateBucket& bucket, const RateLimit& limit, std::string_view what,
                                 SteadyTime now) {
  const uint32_t wait_ms = bucket.Take(limit, now);
  if (wait_ms == 0) return std::nullopt;
  return MakeError(
      v1::REASON_RATE_LIMITED,
      fmt::format("more than {} {} a second, or {} at once", limit.per_period, what, limit.burst),
      wait_ms);
}

}  // namespace

std::optional<v1::Error> UserRates::Take(const std::string& user, const v1::Command& command,
                                         const ConnectionLimits& limits, SteadyTime now) {
  if (users_.size() >= users_limit_ && !users_.contains(user)) MakeRoom(now);
  Buckets& buckets = users_[user];
  if (auto error = TakeOne(buckets.frames, limits.frames, "requests", now)) return error;
  if (command.has_become_member()) return TakeOne(buckets.joins, limits.joins, "joins", now);
  return std::nullopt;
}

void UserRates::MakeRoom(SteadyTime now) {
  absl::erase_if(users_, [&](const auto& entry) {
    const Buckets& buckets = entry.second;
    return buckets.frames.IsFull(now) && buckets.joins.IsFull(now);
  });
  if (users_.size() >= users_limit_) users_.clear();
}

}  // namespace confab::edge
