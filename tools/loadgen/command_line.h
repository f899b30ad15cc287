// command_line.h: confab-loadgen from its arguments to its exit code.
// Owns: nothing; the streams outlive a run.   Used by: main, tests.
// Threads: caller serialises.
// Fails: every failure is one line on `err` and an exit code.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "tools/loadgen/failure.h"

namespace confab::loadgen {

struct Streams {
  std::ostream& out;
  std::ostream& err;
  bool shows_progress = false;  // `err` is a terminal.
};

// `args` without the program's name.
Exit Run(const std::vector<std::string>& args, Streams streams);

}  // namespace confab::loadgen
