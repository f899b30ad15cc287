// Whether bytes are text: the edge's quick answer against a slow one that can be read.
// Covers: edge/protocol/utf8.cc
#include <optional>

#include "edge/protocol/utf8.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

// How many bytes follow this first one; nullopt: none begins so.
std::optional<std::size_t> FollowersOf(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xc2 && first < 0xe0) return 1;
  if (first >= 0xe0 && first < 0xf0) return 2;
  if (first >= 0xf0 && first < 0xf5) return 3;
  return std::nullopt;
}

// Decoded, and the number looked at.
bool IsText(std::string_view bytes) {
  constexpr char32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  while (!bytes.empty()) {
    const auto first = static_cast<unsigned char>(bytes.front());
    const std::optional<std::size_t> followers = FollowersOf(first);
    if (!followers || bytes.size() <= *followers) return false;
    char32_t point = *followers == 0 ? first : first & (0x3fU >> *followers);
    for (std::size_t i = 1; i <= *followers; ++i) {
      const auto byte = static_cast<unsigned char>(bytes[i]);
      if ((byte & 0xc0) != 0x80) return false;
      point = point << 6 | (byte & 0x3fU);
    }
    const bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
    if (point < kLeast[*followers] || point > 0x10ffff || is_surrogate) return false;
    bytes.remove_prefix(*followers + 1);
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = confab::fuzz::View(bytes, size);
  confab::fuzz::Require(confab::edge::IsUtf8(text) == IsText(text), "both say the same");
  return 0;
}
