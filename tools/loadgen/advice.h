// advice.h: from what a server refused to what its operator can do about it.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace confab::loadgen {

// What to do about a refusal with this reason word; empty: nothing that we know of. `message` tells
// limits of one kind apart.
std::string AdviceOn(std::string_view reason, std::string_view message);

}  // namespace confab::loadgen
