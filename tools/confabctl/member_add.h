// member_add.h: confabctl member add.
// Threads: caller serialises.
#pragma once

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

void AddMemberAddVerb(CLI::App& noun, Invocation& run);

}  // namespace confab::ctl
