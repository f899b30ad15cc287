// json_member.h: where a value stands in a JSON text, for what is passed on byte for byte.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace confab::edge {

// REQUIRES (both): `text` is JSON, as a parser has found. Without the white space around it.
// The array's element; nullopt: it has fewer, or the text is no array.
std::optional<std::string_view> FindJsonElement(std::string_view text, std::size_t index);
// The object's member, the last one of that name; nullopt: there is none whose name is written
// without escapes, or the text is no object.
std::optional<std::string_view> FindJsonMember(std::string_view text, std::string_view name);

}  // namespace confab::edge
