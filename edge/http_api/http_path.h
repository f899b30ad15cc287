// http_path.h: patterns such as "/rooms/{roomId}/join" against the path of a request.
// Threads: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace confab::edge {

// %xx decoded; "+" stands for itself. nullopt: a broken %xx.
std::optional<std::string> DecodePathSegment(std::string_view segment);

// The reverse: everything but letters, digits and "-._~" as %XX.
std::string EncodePathSegment(std::string_view text);

// What stands behind "/v1", which may be left out; one slash at the end is passed over.
std::string_view PathBehindVersion(std::string_view path);

// What stands in the places of a pattern's {names}, in order; not decoded and not empty.
inline constexpr std::size_t kPathNamesLimit = 2;  // "/rooms/{roomId}/messages/{messageId}".
using PathSegments = std::array<std::string_view, kPathNamesLimit>;

// Whether `path` (not decoded) fits the pattern.
bool MatchPath(std::string_view pattern, std::string_view path, PathSegments& segments);

}  // namespace confab::edge
