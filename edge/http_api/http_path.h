// http_path.h: patterns such as "/rooms/{roomId}/join" against the path of a request.
// Threads: pure functions.
#pragma once

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

// Whether `path` (not decoded) fits the pattern. `segment` is what stands in the place of its one
// {name}, not decoded and not empty.
bool MatchPath(std::string_view pattern, std::string_view path, std::string_view& segment);

}  // namespace confab::edge
