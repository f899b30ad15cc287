// The files of edge/dialect/builtin as they were when this was built; the source is generated.
#pragma once

#include <span>
#include <string_view>

namespace confab::edge {

struct BuiltinDialect {
  std::string_view file;  // "rooms.json"
  std::string_view text;
};

// By name. Static storage.
std::span<const BuiltinDialect> BuiltinDialects();

}  // namespace confab::edge
