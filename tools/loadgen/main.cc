#include <iostream>
#include <string>
#include <unistd.h>
#include <vector>

#include "tools/loadgen/command_line.h"

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  return static_cast<int>(confab::loadgen::Run(
      args, confab::loadgen::Streams{std::cout, std::cerr, isatty(STDERR_FILENO) != 0}));
}
