#include "edge/recovery/pid.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <sys/random.h>

#include <absl/strings/str_cat.h>

namespace confab::edge {

namespace {

constexpr std::size_t kHalfDigits = 16;

bool ReadHalf(std::string_view digits, std::uint64_t& half) {
  const bool is_hex = std::all_of(digits.begin(), digits.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (!is_hex) return false;
  const char* end = digits.data() + digits.size();
  return std::from_chars(digits.data(), end, half, 16).ptr == end;
}

}  // namespace

Pid DrawPid() {
  Pid pid;
  // Never short for so few bytes once the kernel's pool is seeded, which is long before us.
  [[maybe_unused]] const ssize_t n = ::getrandom(&pid, sizeof(pid), 0);
  return pid;
}

std::string TextOfPid(const Pid& pid) {
  return absl::StrCat(absl::Hex(pid.high, absl::kZeroPad16), absl::Hex(pid.low, absl::kZeroPad16));
}

std::optional<Pid> ParsePid(std::string_view text) {
  Pid pid;
  if (text.size() != 2 * kHalfDigits || !ReadHalf(text.substr(0, kHalfDigits), pid.high) ||
      !ReadHalf(text.substr(kHalfDigits), pid.low)) {
    return std::nullopt;
  }
  return pid;
}

}  // namespace confab::edge
