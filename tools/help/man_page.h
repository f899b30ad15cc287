// man_page.h: a program's manual page, made from the verbs as they are declared.
// Threads: pure functions.
#pragma once

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "tools/help/command_tree.h"

namespace confab::help {

struct ManPage {
  Place root;
  std::string summary;  // Behind the name: "administers Confab".
  std::vector<std::pair<int, std::string>> exit_codes;
};

void PrintManPage(const ManPage& page, std::ostream& out);

}  // namespace confab::help
