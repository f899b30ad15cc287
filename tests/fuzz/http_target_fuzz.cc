// Request targets.
// Covers: edge/transport/http_target.cc
#include <string>

#include "edge/transport/http_target.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using confab::fuzz::Require;
  const std::string_view text = confab::fuzz::View(bytes, size);
  const confab::edge::HttpTarget target = confab::edge::ParseHttpTarget(text);
  Require(text.starts_with(target.path), "the path stands in front, as it came");
  std::size_t length = 0;
  for (const auto& [key, value] : target.query) {
    Require(target.Has(key), "what stands there is found");
    length += key.size() + value.size();
  }
  Require(length <= text.size(), "decoding does not add");
  if (!target.query.empty()) {
    const auto& [key, value] = target.query.back();
    Require(target.Get(key) == value, "the last of a key counts");
  }
  return 0;
}
