// fuzz_json.h: what we write is JSON, whatever it was made of.
#pragma once

#include <string_view>

#include "edge/protocol/json_text.h"
#include "tests/fuzz/fuzz_target.h"

namespace confab::fuzz {

// Views the parser's value until the next call.
inline const boost::json::value& RequireJson(std::string_view text, const char* property) {
  static edge::JsonParser parser;
  const auto value = parser.Parse(text);
  Require(value.ok(), property);
  return **value;
}

inline void RequireJsonArray(std::string_view text, const char* property) {
  Require(RequireJson(text, property).is_array(), property);
}

}  // namespace confab::fuzz
