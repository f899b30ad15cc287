#include "edge/transport/sid.h"

#include <array>
#include <cstddef>
#include <sys/random.h>

#include <absl/strings/escaping.h>

namespace confab::edge {

namespace {
constexpr std::size_t kPlaceBytes = 3;
constexpr std::size_t kRandomBytes = 15;
constexpr std::size_t kSidBytes = kPlaceBytes + kRandomBytes;
constexpr std::size_t kSidCharacters = kSidBytes / 3 * 4;
}  // namespace

std::string NewSid(const SidPlace& place) {
  std::array<char, kSidBytes> bytes{};
  bytes[0] = static_cast<char>(place.thread);
  bytes[1] = static_cast<char>(place.edge >> 8);
  bytes[2] = static_cast<char>(place.edge & 0xff);
  // Never short for so few bytes once the kernel's pool is seeded, which is long before us.
  [[maybe_unused]] const ssize_t n = ::getrandom(bytes.data() + kPlaceBytes, kRandomBytes, 0);
  return absl::WebSafeBase64Escape({bytes.data(), bytes.size()});
}

std::optional<SidPlace> PlaceOfSid(std::string_view sid) {
  std::string bytes;
  if (sid.size() != kSidCharacters || !absl::WebSafeBase64Unescape({sid.data(), 4}, &bytes) ||
      bytes.size() != kPlaceBytes) {
    return std::nullopt;
  }
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  return SidPlace{.thread = byte(0), .edge = static_cast<std::uint16_t>(byte(1) << 8 | byte(2))};
}

}  // namespace confab::edge
