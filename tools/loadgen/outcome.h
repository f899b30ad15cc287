// outcome.h: all that a run has found; what reports are made of.
// Threads: values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/loadgen/checker.h"
#include "tools/loadgen/failure.h"
#include "tools/loadgen/histogram.h"
#include "tools/loadgen/options.h"
#include "tools/loadgen/plan.h"
#include "tools/loadgen/process_watch.h"

namespace confab::loadgen {

// Within what is measured: warm-up and set-up are no part of it.
struct Counts {
  uint64_t sent = 0;
  uint64_t acked = 0;    // Stored messages.
  uint64_t refused = 0;  // Over the whole run, as what ends connections.
  uint64_t skipped = 0;  // Not sent when they were due: too many were on their way.
  uint64_t delivered = 0;
  uint64_t handshakes = 0;
  uint64_t failed_handshakes = 0;
  uint64_t disconnected = 0;  // Connections that ended and were not to.
};

// What the server said no with, or closed with.
struct Refusal {
  uint64_t count = 0;
  std::string example;
};

struct ProcessFigures {
  ProcessWatch::Watched process;
  ProcessUsage at_start;  // Before anything was opened.
  ProcessUsage at_begin;  // Of what is measured.
  ProcessUsage at_end;

  double user_s() const { return at_end.user_s - at_begin.user_s; }
  double system_s() const { return at_end.system_s - at_begin.system_s; }
  double cpu_s() const { return user_s() + system_s(); }
};

// A moment of what is measured.
struct Moment {
  double at_s = 0;  // From its beginning.
  double messages_per_s = 0;
  double deliveries_per_s = 0;
  double handshakes_per_s = 0;
  double own_cores = 0;
  std::vector<double> cores;  // Of each watched process.
};

struct Steps {
  Histogram connect;  // TCP.
  Histogram upgrade;  // To 101.
  Histogram admit;    // To the accepted token.
  Histogram join;     // To the joined room.
  Histogram whole;
};

struct Outcome {
  Options options;
  Plan plan;
  std::string run;           // What the names of its rooms and users have in them.
  std::string keys;          // What each clientMsgId begins with: new, where `run` is not.
  std::string started_at;    // RFC 3339.
  uint32_t connections = 0;  // That were open when measuring began.
  double elapsed_s = 0;      // Of what is measured.
  bool is_interrupted = false;
  Counts counts;
  Faults faults;
  std::map<std::string, Refusal> refusals;  // By reason word, or what stands for one.
  Histogram ack;                            // From sending to the acknowledgement.
  Histogram delivery;                       // From sending to each delivery.
  Steps steps;
  std::vector<ProcessFigures> processes;
  double own_cpu_s = 0;
  std::vector<Moment> moments;

  void Note(const std::string& reason, const std::string& example) {
    Refusal& refusal = refusals[reason];
    if (refusal.count++ == 0) refusal.example = example;
  }
  bool is_clean() const {
    return faults.sum() == 0 && counts.refused == 0 && counts.disconnected == 0 &&
           counts.failed_handshakes == 0;
  }
  Exit exit() const {
    if (!is_clean()) return Exit::kFaults;
    return is_interrupted ? Exit::kInterrupted : Exit::kDone;
  }
};

}  // namespace confab::loadgen
