// json_check.h: whether a text is one JSON value (RFC 8259), without reading it into anything: it
// is passed on as it came.
// Threads: pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace confab::control {

// As deep as the edge reads from clients.
inline constexpr size_t kBodyDepthLimit = 32;

// True: one value, with white space around it at most, nested no deeper than the limit; its
// strings are valid UTF-8 without NUL, and no escape is half a surrogate pair.
bool IsJson(std::string_view text);

}  // namespace confab::control
