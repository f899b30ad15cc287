#include "edge/connection/token_life.h"

#include <algorithm>

namespace confab::edge {

namespace {

// Far enough for every use, and no sum with it overflows.
constexpr absl::Duration kLongest = absl::Hours(24 * 365);

}  // namespace

void TokenLife::Begin(absl::Time expires_at, absl::Time wall_now, SteadyTime now) {
  ends_at_ = now + absl::ToChronoMilliseconds(std::min(expires_at - wall_now, kLongest));
  expires_at_ms_ = absl::ToUnixMillis(expires_at);
  is_told_ = false;
}

TokenLife::Step TokenLife::Check(const TokenLimits& limits, SteadyTime now) {
  if (now < NextAt(limits)) return Step::kNone;
  if (now >= OverAt(limits)) return Step::kEnd;
  // At the end itself nothing is told any more where nothing was to be told before it.
  is_told_ = true;
  return limits.lead > absl::ZeroDuration() ? Step::kWarn : Step::kNone;
}

TokenLife::SteadyTime TokenLife::OverAt(const TokenLimits& limits) const {
  if (ends_at_ == SteadyTime::max()) return ends_at_;
  return ends_at_ + absl::ToChronoMilliseconds(limits.grace);
}

TokenLife::SteadyTime TokenLife::NextAt(const TokenLimits& limits) const {
  if (ends_at_ == SteadyTime::max() || is_told_) return OverAt(limits);
  return ends_at_ - absl::ToChronoMilliseconds(limits.lead);
}

}  // namespace confab::edge
