// presence_watch.h: confabctl presence watch.
// Threads: caller serialises.
#pragma once

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

void AddPresenceWatchVerb(CLI::App& noun, Invocation& run);

}  // namespace confab::ctl
