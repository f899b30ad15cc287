// scenario_options.h: the scenarios as the command line has them: what each is, its options, its
// defaults, examples.
// Threads: caller serialises.
#pragma once

#include "tools/loadgen/options.h"

namespace CLI {
class App;
}

namespace confab::loadgen {

// A subcommand each; parsing one sets the scenario and the plan's options.
void AddScenarios(CLI::App& app, Options& options);

// What all scenarios take. Times are texts until they are parsed.
struct TimeTexts {
  std::string duration = "10s";
  std::string warm_up = "1s";
  std::string answer_time = "10s";
  std::string setup_time = "60s";
};
void AddCommonOptions(CLI::App& app, Options& options, TimeTexts& times);

// INVALID_ARGUMENT names the option and says what it may be.
absl::Status ReadTimes(const TimeTexts& times, Options& options);

}  // namespace confab::loadgen
