// heartbeat.h: the times of one session: until authenticated, until admitted, ping to pong, the ends
// of its tokens, which no ping puts off, and when it has to go.
// Owns: one timer entry.   Used by: engineio_session, native_session.
// Threads: confined to the io thread.
#pragma once

#include <chrono>

#include <absl/time/time.h>

#include "edge/transport/close_reason.h"
#include "edge/transport/timer_wheel.h"

namespace confab::edge {

using SteadyClock = std::chrono::steady_clock::time_point (*)();

struct HeartbeatLimits {
  absl::Duration open = absl::Seconds(10);  // From accept to the accepted token.
  absl::Duration hold = absl::Seconds(10);  // From there until control is attached.
  absl::Duration ping_interval = absl::Seconds(25);
  absl::Duration ping_timeout = absl::Seconds(20);
  SteadyClock now = &std::chrono::steady_clock::now;  // Tests set their own.
};

class Heartbeat final : private TimerWheel::Entry {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void SendPing() = 0;
    // Called once; nothing follows.
    virtual void OnTimeUp(CloseReason reason) = 0;
    // Does what is due of the tokens, which may be to Stop. Gives when to ask again.
    virtual SteadyTime CheckTokens(SteadyTime now) = 0;
    // The time that EndIn gave is over. Called once; pings go on until Stop.
    virtual void OnEndDue() {}
  };

  // `owner`, `wheel` and `limits` outlive this object. The first ping comes an interval from now.
  Heartbeat(Owner& owner, TimerWheel& wheel, const HeartbeatLimits& limits, SteadyTime accepted_at);

  void OnAuthenticated();  // A token was accepted; waits for control.
  void OnAdmitted();
  void OnLeft();  // Nobody is authenticated any more: a token is due anew.
  void OnPong();
  // A token has come or was renewed: they are checked at the next tick.
  void OnTokens();
  // The session has to go in so long.
  void EndIn(absl::Duration delay);
  // What is due by now is done now.
  void Check();
  void Stop();

 private:
  enum class Phase : char { kOpening, kWaiting, kAdmitted, kStopped };

  void OnTimer() override;
  // Its time begins only where it is another one than before.
  void Enter(Phase phase, absl::Duration time);
  void Arm();
  SteadyTime NextDue() const;

  Owner& owner_;
  TimerWheel& wheel_;
  const HeartbeatLimits& limits_;
  SteadyTime phase_ends_;  // kOpening and kWaiting.
  SteadyTime beats_;       // Ping due, or the pong overdue.
  SteadyTime tokens_due_ = SteadyTime::max();
  SteadyTime end_due_ = SteadyTime::max();
  Phase phase_ = Phase::kOpening;
  bool awaits_pong_ = false;
};

}  // namespace confab::edge
