// member_restrict.h: the verbs of `confabctl member` about bans and mutes.
#pragma once

#include "tools/confabctl/command_line.h"

namespace confab::ctl {

void AddMemberRestrictVerbs(CLI::App& noun, Invocation& run);

}  // namespace confab::ctl
