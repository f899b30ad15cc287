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
      beats_(After(limits.now(), limits.ping_interval)) {
  Arm();
}

void Heartbeat::OnAuthenticated() {
  Enter(Phase::kWaiting, limits_.hold);
  OnTokens();
}

void Heartbeat::OnAdmitted() {
  Enter(Phase::kAdmitted, absl::ZeroDuration());
  OnTokens();
}

void Heartbeat::OnLeft() { Enter(Phase::kOpening, limits_.open); }

void Heartbeat::Enter(Phase phase, absl::Duration time) {
  if (phase_ == phase || phase_ == Phase::kStopped) return;
  phase_ = phase;
  phase_ends_ = After(limits_.now(), time);
  Arm();
}

void Heartbeat::OnPong() {
  if (!awaits_pong_ || phase_ == Phase::kStopped) return;
  awaits_pong_ = false;
  beats_ = After(limits_.now(), limits_.ping_interval);
  Arm();
}

void Heartbeat::Stop() {
  phase_ = Phase::kStopped;
  Cancel();
}

void Heartbeat::OnTokens() {
  tokens_due_ = SteadyTime::min();
  Arm();
}

void Heartbeat::EndIn(absl::Duration delay) {
  end_due_ = After(limits_.now(), delay);
  Arm();
}

Heartbeat::SteadyTime Heartbeat::NextDue() const {
  const SteadyTime due = std::min({beats_, tokens_due_, end_due_});
  return phase_ == Phase::kAdmitted ? due : std::min(due, phase_ends_);
}

void Heartbeat::Check() {
  if (phase_ != Phase::kStopped && limits_.now() >= NextDue()) OnTimer();
}

void Heartbeat::Arm() {
  if (phase_ == Phase::kStopped) return;
  const SteadyTime now = limits_.now();
  const SteadyTime due = NextDue();
  wheel_.Arm(*this, due <= now ? absl::ZeroDuration() : absl::FromChrono(due - now));
}

void Heartbeat::OnTimer() {
  const SteadyTime now = limits_.now();
  if (phase_ != Phase::kAdmitted && now >= phase_ends_) {
    const bool is_opening = phase_ == Phase::kOpening;
    phase_ = Phase::kStopped;
    return owner_.OnTimeUp(is_opening ? CloseReason::kHandshakeTimeout
                                      : CloseReason::kControlUnavailable);
  }
  if (now >= tokens_due_) {
    tokens_due_ = owner_.CheckTokens(now);
    if (phase_ == Phase::kStopped) return;
  }
  if (now >= end_due_) {
    end_due_ = SteadyTime::max();
    owner_.OnEndDue();
    if (phase_ == Phase::kStopped) return;
  }
  if (now >= beats_) {
    if (awaits_pong_) {
      phase_ = Phase::kStopped;
      return owner_.OnTimeUp(CloseReason::kPingTimeout);
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
