// The JSON that the edge reads and writes.
// Covers: edge/protocol/json_text.cc
#include <string>

#include "edge/protocol/json_text.h"
#include "edge/protocol/utf8.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  namespace edge = confab::edge;
  using confab::fuzz::Require;
  static edge::JsonParser parser;
  const std::string_view text = confab::fuzz::View(bytes, size);
  const auto value = parser.Parse(text);
  if (value.ok()) {
    Require(edge::IsUtf8(text), "what is read is text");
    Require(edge::IsJsonDepthWithinLimit(text), "what is read nests within the limit");
  }
  if (!edge::IsUtf8(text)) return 0;
  std::string out;
  edge::AppendJsonString(text, out);
  const auto again = parser.Parse(out);
  Require(
      again.ok() && (*again)->is_string() &&
          std::string_view((*again)->get_string().data(), (*again)->get_string().size()) == text,
      "a string that is written is read as it was");
  return 0;
}
