// room_export.h: confabctl room export.
#pragma once

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

void AddRoomExportVerb(CLI::App& noun, Invocation& run);

}  // namespace confab::ctl
