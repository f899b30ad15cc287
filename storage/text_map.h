// text_map.h: names with texts as one text, which a person can read in a table.
// Threads: pure.
//
// One line for each name, in order of the names: `name=text`. In both a backslash stands before
// what would mean something else: `\\` `\=` and `\n` for a line feed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace confab::storage {

using TextMap = std::map<std::string, std::string>;

std::string EncodeTextMap(const TextMap& map);

// nullopt: that is none.
std::optional<TextMap> DecodeTextMap(std::string_view text);

}  // namespace confab::storage
