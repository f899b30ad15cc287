// run_confabctl.h: runs confabctl within the test's process and keeps what it printed.
// Threads: any thread; each run is its own.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

struct Ran {
  Exit exit = Exit::kDone;
  std::string out;
  std::string err;
};

inline Ran RunConfabctl(const std::vector<std::string>& args, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  Ran ran;
  ran.exit = Run(args, Streams{in, out, err});
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

}  // namespace confab::ctl
