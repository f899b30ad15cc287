// completion.h: completion scripts for shells, made from the verbs as they are declared.
// Threads: pure functions.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "tools/help/command_tree.h"

namespace confab::help {

const std::vector<std::string>& Shells();

// REQUIRES: one of Shells().
void PrintCompletion(const std::string& shell, const Place& root, std::ostream& out);

}  // namespace confab::help
