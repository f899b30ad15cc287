#include "edge/connection/heartbeat.h"

#include <algorithm>

namespace confab::edge {

namespace {
std::chrono::steady_clock::time_point After(std::chrono::steady_clock::time_point start,
                                            absl::Duration delay) {
  return start + absl::ToChronoMilliseconds(delay);
}
}  // namespace

Heartbeat::Heartbeat(Owner& owner, TimerWheel& wheel, const HeartbeatLimits& limits,
                     SteadyTime accepted_at)
    : owner_(owner),
      wheel_(wheel),
      limits_(limits),
      phase_ends_(After(accepted_at, limits.open)),
      beats_(After(std::chrono::steady_clock::now(), limits.ping_interval)) {
  Arm();
}

void Heartbeat::OnAuthenticated() { Enter(Phase::kWaiting, limits_.hold); }

void Heartbeat::OnAdmitted() { Enter(Phase::kAdmitted, absl::ZeroDuration()); }

void Heartbeat::OnLeft() { Enter(Phase::kOpening, limits_.open); }

void Heartbeat::Enter(Phase phase, absl::Duration time) {
  if (phase_ == phase || phase_ == Phase::kStopped) return;
  phase_ = phase;
  phase_ends_ = After(std::chrono::steady_clock::now(), time);
  Arm();
}

void Heartbeat::OnPong() {
  if (!awaits_pong_ || phase_ == Phase::kStopped) return;
  awaits_pong_ = false;
  beats_ = After(std::chrono::steady_clock::now(), limits_.ping_interval);
  Arm();
}

void Heartbeat::Stop() {
  phase_ = Phase::kStopped;
  Cancel();
}

void Heartbeat::Check() {
  if (phase_ == Phase::kStopped) return;
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now >= beats_ || (phase_ != Phase::kAdmitted && now >= phase_ends_)) OnTimer();
}

void Heartbeat::Arm() {
  if (phase_ == Phase::kStopped) return;
  const SteadyTime due = phase_ == Phase::kAdmitted ? beats_ : std::min(beats_, phase_ends_);
  const auto delay = std::max(due - std::chrono::steady_clock::now(), SteadyTime::duration(0));
  wheel_.Arm(*this, absl::FromChrono(delay));
}

void Heartbeat::OnTimer() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (phase_ != Phase::kAdmitted && now >= phase_ends_) {
    const bool is_opening = phase_ == Phase::kOpening;
    phase_ = Phase::kStopped;
    return owner_.OnTimeUp(is_opening ? CloseReason::kHandshakeTimeout
                                      : CloseReason::kControlUnavailable);
  }
  if (now >= beats_) {
    if (awaits_pong_ || owner_.IsTokenOver(now)) {
      phase_ = Phase::kStopped;
      return owner_.OnTimeUp(awaits_pong_ ? CloseReason::kPingTimeout : CloseReason::kTokenExpired);
    }
    awaits_pong_ = true;
    // From when it was due: a tick late costs the client a tick, but never more.
    const SteadyTime sent = std::max(beats_, now - absl::ToChronoMilliseconds(wheel_.tick()));
    beats_ = After(sent, limits_.ping_timeout);
    owner_.SendPing();
  }
  Arm();
}

}  // namespace confab::edge
