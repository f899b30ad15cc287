// message_tail.h: confabctl message tail.
// Threads: caller serialises.
#pragma once

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

void AddMessageTailVerb(CLI::App& noun, Invocation& run);

}  // namespace confab::ctl
