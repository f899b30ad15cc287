// options.h: what a run was asked to do.
// Threads: immutable once parsed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "tools/loadgen/plan.h"
#include "tools/loadgen/token_source.h"

namespace confab::loadgen {

struct Options {
  Scenario scenario = Scenario::kFanout;
  PlanOptions plan;
  std::vector<std::string> urls = {"ws://127.0.0.1:8080"};
  TokenOptions tokens;
  std::string run;                   // In the names of rooms and users; empty: a new one.
  std::vector<std::string> sources;  // Own addresses; empty: as the system likes.
  uint32_t content_bytes = 200;
  uint32_t concurrency = 100;  // Connections that are being opened at a time.
  absl::Duration duration = absl::Seconds(10);
  absl::Duration warm_up = absl::Seconds(1);
  absl::Duration answer_time = absl::Seconds(10);
  absl::Duration setup_time = absl::Seconds(60);
  std::vector<std::string> processes;  // [NAME=]PID
  bool is_json = false;
  bool is_quiet = false;
  std::string report;
};

}  // namespace confab::loadgen
