// handshake_run.h: users who come, show their token, join their room and go, so many at a time.
// Owns: whose turn it is.   Used by: load_run.
// Threads: confined to the loop. Lives until the loop has ended.
// Fails: a handshake that fails is counted with its reason; the slot goes on after a pause.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "tools/loadgen/crowd.h"
#include "tools/loadgen/outcome.h"

namespace confab::loadgen {

class HandshakeRun final : public ClientEvents {
 public:
  // Nobody gets in: the first reason is all there is to say.
  static constexpr uint64_t kHopelessFailures = 20;

  HandshakeRun(Loop& loop, Crowd& crowd, Outcome& outcome);

  void Begin();
  void Measure();
  void End();
  // Ends those that take too long, fills slots that paused. To be called now and then.
  void OnTick();

  // Not one handshake was done, and many failed.
  bool is_hopeless() const { return done_ == 0 && failed_ >= kHopelessFailures; }
  bool is_settled() const { return under_way_ == 0; }
  const Failure& first_failure() const { return first_failure_; }

  void OnReady(ChatClient& client, int64_t last_seq) override;
  void OnAnswer(ChatClient&, uint64_t, const Answer&, int64_t) override {}
  void OnEvent(ChatClient&, const RoomEvent&, int64_t) override {}
  void OnEnded(ChatClient& client, const Ending& ending) override;

 private:
  void OpenNext();
  void OpenLater();
  void OnFailed(ChatClient& client, const Ending& ending);

  Loop& loop_;
  Crowd& crowd_;
  Outcome& outcome_;
  bool is_running_ = false;
  int64_t measured_from_ = std::numeric_limits<int64_t>::max();
  uint32_t next_member_ = 0;
  uint32_t under_way_ = 0;
  uint32_t paused_ = 0;  // Slots whose handshake failed: they wait for the next tick.
  uint64_t done_ = 0;
  uint64_t failed_ = 0;
  Failure first_failure_;
};

}  // namespace confab::loadgen
