#include "tools/loadgen/handshake_run.h"

#include <utility>

#include <absl/time/time.h>
#include <boost/asio/post.hpp>

#include "tools/loadgen/opening_failure.h"

namespace confab::loadgen {

HandshakeRun::HandshakeRun(Loop& loop, Crowd& crowd, Outcome& outcome)
    : loop_(loop), crowd_(crowd), outcome_(outcome) {}

void HandshakeRun::Begin() {
  is_running_ = true;
  for (uint32_t slot = 0; slot < outcome_.options.concurrency; ++slot) OpenNext();
}

void HandshakeRun::Measure() {
  measured_from_ = NowNs();
  const uint64_t failed = outcome_.counts.failed_handshakes;
  outcome_.counts = {.failed_handshakes = failed};
  outcome_.steps = Steps();
}

void HandshakeRun::End() { is_running_ = false; }

// Users in turn: there are at least as many as slots, so the next one has long been closed.
void HandshakeRun::OpenNext() {
  if (!is_running_) return;
  const uint32_t all = outcome_.plan.members();
  for (uint32_t tried = 0; tried < all; ++tried) {
    const uint32_t member = next_member_;
    next_member_ = (next_member_ + 1) % all;
    if (crowd_.client(member).stage() != Stage::kClosed) continue;
    ++under_way_;
    return crowd_.Open(member);
  }
}

// Not from within the end of another: a thousand that fail at once would stand in one another.
void HandshakeRun::OpenLater() {
  boost::asio::post(loop_.io(), [this] { OpenNext(); });
}

void HandshakeRun::OnReady(ChatClient& client, int64_t /*last_seq*/) {
  const HandshakeTimes times = client.times();
  client.Close();
  crowd_.NoteClosed();
  --under_way_;
  ++done_;
  if (times.begun >= measured_from_) {
    ++outcome_.counts.handshakes;
    outcome_.steps.connect.Add(times.connected - times.begun);
    outcome_.steps.upgrade.Add(times.upgraded - times.connected);
    outcome_.steps.admit.Add(times.admitted - times.upgraded);
    outcome_.steps.join.Add(times.joined - times.admitted);
    outcome_.steps.whole.Add(times.joined - times.begun);
  }
  OpenLater();
}

void HandshakeRun::OnEnded(ChatClient& client, const Ending& ending) {
  if (ending.stage != Stage::kReady) OnFailed(client, ending);
}

void HandshakeRun::OnFailed(ChatClient& client, const Ending& ending) {
  --under_way_;
  ++paused_;
  if (failed_++ == 0) first_failure_ = FailureOf(ending, crowd_.WhereIs(client.member()));
  ++outcome_.counts.failed_handshakes;
  outcome_.Note(ending.reason.empty() ? "FAILED" : ending.reason, ending.what);
}

void HandshakeRun::OnTick() {
  const int64_t oldest = NowNs() - absl::ToInt64Nanoseconds(outcome_.options.answer_time);
  for (uint32_t member = 0; member < outcome_.plan.members(); ++member) {
    ChatClient& client = crowd_.client(member);
    if (client.stage() == Stage::kClosed || client.times().begun > oldest) continue;
    const Stage stage = client.stage();
    client.Close();
    OnFailed(client, {.stage = stage, .reason = "NO_ANSWER", .what = "no answer in time"});
  }
  for (uint32_t slots = std::exchange(paused_, 0); slots > 0; --slots) OpenNext();
}

}  // namespace confab::loadgen
