// message_change.h: confabctl message edit and delete.
#pragma once

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

void AddMessageChangeVerbs(CLI::App& noun, Invocation& run);

}  // namespace confab::ctl
