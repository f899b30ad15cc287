// room_update.h: the verbs of `confabctl room` that change one.
#pragma once

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

void AddRoomUpdateVerbs(CLI::App& noun, Invocation& run);

}  // namespace confab::ctl
