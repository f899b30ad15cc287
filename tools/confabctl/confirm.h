// confirm.h: asks before something is destroyed.
// Threads: caller serialises.
#pragma once

#include <string>

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

// The flag --yes, with which nobody is asked.
void AddYes(CLI::App& verb, bool* is_yes);

// True: go on. Asks "<question> [y/N] " on err and reads a line of standard input, unless
// `is_yes`. False: said no, which was printed; end with kUsage.
bool Confirm(Invocation& run, bool is_yes, const std::string& question);

}  // namespace confab::ctl
