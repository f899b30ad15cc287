// meter.h: the course of what is measured: moments for plots, what processes cost, and the line that
// somebody at a terminal watches.
// Owns: the watch and the figures of the last moment.   Used by: load_run.
// Threads: confined to the loop.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/loadgen/outcome.h"
#include "tools/loadgen/process_watch.h"

namespace confab::loadgen {

class Meter {
 public:
  Meter(Outcome& outcome, ProcessWatch watch);

  void ReadAtStart();        // Before anything is opened.
  void Begin(int64_t now);   // Of what is measured.
  void End(int64_t now);     // Of what is measured, whatever it came to.
  void OnTick(int64_t now);  // Takes a moment if it is time.

 private:
  // Often enough to see a stall; each costs a walk through /proc.
  static constexpr int64_t kMomentNs = 500'000'000;

  void TakeMoment(int64_t now);

  Outcome& outcome_;
  const ProcessWatch watch_;
  bool is_measuring_ = false;
  int64_t began_ = 0;
  int64_t last_ = 0;
  Counts last_counts_;
  double own_at_begin_ = 0;
  double last_own_ = 0;
  std::vector<ProcessUsage> last_usages_;
};

// "12.3 k", "4.56 M": three digits, for people.
std::string ShowCount(double value);
// "850 µs", "1.2 ms", "3.4 s".
std::string ShowTime(double nanoseconds);

// The line itself, without its end. `what` is the phase; faults as they are known so far.
std::string ProgressLine(const Outcome& outcome, const std::string& what, double elapsed_s,
                         const Faults& faults);

}  // namespace confab::loadgen
