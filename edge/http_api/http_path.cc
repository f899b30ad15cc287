#include "edge/http_api/http_path.h"

#include <cstddef>

namespace confab::edge {
namespace {

constexpr std::string_view kVersion = "/v1";

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::string_view TakeSegment(std::string_view& path) {
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size() < path.size() ? segment.size() + 1 : path.size());
  return segment;
}

std::size_t SegmentsOf(std::string_view path) {
  std::size_t count = 1;
  for (const char c : path) count += c == '/' ? 1 : 0;
  return count;
}

}  // namespace

std::optional<std::string> DecodePathSegment(std::string_view segment) {
  std::string out;
  out.reserve(segment.size());
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '%') {
      out += segment[i];
      continue;
    }
    if (segment.size() - i < 3) return std::nullopt;
    const std::optional<int> high = HexDigit(segment[i + 1]);
    const std::optional<int> low = HexDigit(segment[i + 2]);
    if (!high || !low) return std::nullopt;
    out += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return out;
}

std::string EncodePathSegment(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

std::string_view PathBehindVersion(std::string_view path) {
  if (path.starts_with(kVersion) && path.substr(kVersion.size()).starts_with('/')) {
    path.remove_prefix(kVersion.size());
  }
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

bool MatchPath(std::string_view pattern, std::string_view path, PathSegments& segments) {
  std::size_t names = 0;
  if (!path.starts_with('/') || SegmentsOf(pattern) != SegmentsOf(path)) return false;
  while (!pattern.empty()) {
    const std::string_view wanted = TakeSegment(pattern);
    const std::string_view found = TakeSegment(path);
    if (wanted.starts_with('{')) {
      if (found.empty()) return false;
      segments.at(names++) = found;
    } else if (wanted != found) {
      return false;
    }
  }
  return true;
}

}  // namespace confab::edge
