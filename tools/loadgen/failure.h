// failure.h: why a run ended without a result, and how the process then ends.
// Threads: immutable values.
#pragma once

#include <csignal>
#include <string>

namespace confab::loadgen {

enum class Exit : int {
  kDone = 0,
  kFaults = 1,         // The checker found faults, or the server refused or closed something.
  kUsage = 2,          // The command line is wrong.
  kUnreachable = 3,    // No answer from the edge.
  kNotAuthorised = 4,  // The tokens are not taken.
  kInterrupted = 128 + SIGINT,
};

struct Failure {
  Exit exit = Exit::kDone;
  std::string text;  // One line: what happened, and what to do.

  bool happened() const { return exit != Exit::kDone; }
};

}  // namespace confab::loadgen
