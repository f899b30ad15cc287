// utf8.h: whether bytes are text.
// Threads: pure functions.
#pragma once

#include <string_view>

namespace confab::edge {

// True: well-formed UTF-8 as RFC 3629 has it: no surrogates, nothing overlong, nothing above U+10FFFF.
bool IsUtf8(std::string_view bytes);

}  // namespace confab::edge
