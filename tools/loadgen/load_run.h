// load_run.h: one run from its options to its outcome: looks up edges, makes rooms, opens clients,
// warms up, measures, waits for what is still to come.
// Owns: all parts of it.   Used by: command_line.
// Threads: confined to the main thread.
// Fails: with why there is no outcome; an interrupted run has one, of what there is.
#pragma once

#include <memory>
#include <ostream>
#include <vector>

#include <absl/time/time.h>
#include <boost/asio/ip/address.hpp>

#include "tools/loadgen/crowd.h"
#include "tools/loadgen/failure.h"
#include "tools/loadgen/handshake_run.h"
#include "tools/loadgen/loop.h"
#include "tools/loadgen/meter.h"
#include "tools/loadgen/outcome.h"
#include "tools/loadgen/room_builder.h"
#include "tools/loadgen/traffic.h"

namespace confab::loadgen {

class LoadRun {
 public:
  // `progress`: where a line is shown and shown again; null: nowhere. REQUIRES: a valid plan.
  LoadRun(const Options& options, const Plan& plan, std::ostream* progress);
  ~LoadRun();
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;

  Failure Run();
  const Outcome& outcome() const { return outcome_; }

 private:
  Failure Prepare();
  Failure LookUp();
  absl::Duration SetupLeft() const;
  Failure RunTraffic();
  Failure RunIdle();
  Failure RunHandshakes();
  template <typename Scene>
  void WarmUpAndMeasure(Scene& scene);
  void Show(const char* what);
  void OnTick();

  Loop loop_;  // First: all others end before it, and it runs none of them any more.
  Outcome outcome_;
  const Options& options_;
  std::ostream* const progress_;
  const int64_t began_;
  const char* phase_ = "begins";
  int64_t phase_began_;
  std::vector<Place> places_;
  std::vector<boost::asio::ip::address> sources_;
  std::unique_ptr<TokenSource> tokens_;
  std::unique_ptr<Meter> meter_;
  std::unique_ptr<HttpCaller> http_;
  std::unique_ptr<RoomBuilder> rooms_;
  std::unique_ptr<Crowd> crowd_;
  std::unique_ptr<Traffic> traffic_;
  std::unique_ptr<HandshakeRun> handshakes_;
};

}  // namespace confab::loadgen
