#include <iostream>
#include <string>
#include <vector>

#include "tools/confabctl/command_line.h"

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  return static_cast<int>(
      confab::ctl::Run(args, confab::ctl::Streams{std::cin, std::cout, std::cerr}));
}
