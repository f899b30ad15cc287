// room_retention.h: confabctl room retention.
#pragma once

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

void AddRoomRetentionVerb(CLI::App& noun, Invocation& run);

}  // namespace confab::ctl
