#include "edge/protocol/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace confab::edge {

namespace {

constexpr std::uint64_t kAnyHighBit = 0x8080808080808080;

struct Lead {
  std::size_t more = 0;  // Bytes that follow; 0: no lead byte.
  unsigned char low = 0x80;
  unsigned char high = 0xbf;  // Of the byte behind it.
};

Lead LeadOf(unsigned char byte) {
  if (byte >= 0xc2 && byte <= 0xdf) return {.more = 1};
  if (byte == 0xe0) return {.more = 2, .low = 0xa0};
  if (byte == 0xed) return {.more = 2, .high = 0x9f};  // Surrogates.
  if (byte >= 0xe1 && byte <= 0xef) return {.more = 2};
  if (byte == 0xf0) return {.more = 3, .low = 0x90};
  if (byte >= 0xf1 && byte <= 0xf3) return {.more = 3};
  if (byte == 0xf4) return {.more = 3, .high = 0x8f};
  return {};
}

bool IsCharacter(const unsigned char* at, std::size_t left, const Lead& lead) {
  if (lead.more == 0 || left <= lead.more) return false;
  if (at[1] < lead.low || at[1] > lead.high) return false;
  for (std::size_t i = 2; i <= lead.more; ++i) {
    if ((at[i] & 0xc0) != 0x80) return false;
  }
  return true;
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const unsigned char* const end = at + bytes.size();
  while (at < end) {
    const auto left = static_cast<std::size_t>(end - at);
    std::uint64_t eight = 0;
    if (left >= sizeof(eight)) {
      std::memcpy(&eight, at, sizeof(eight));
      if ((eight & kAnyHighBit) == 0) {
        at += sizeof(eight);
        continue;
      }
    }
    if (*at < 0x80) {
      ++at;
      continue;
    }
    const Lead lead = LeadOf(*at);
    if (!IsCharacter(at, left, lead)) return false;
    at += lead.more + 1;
  }
  return true;
}

}  // namespace confab::edge
