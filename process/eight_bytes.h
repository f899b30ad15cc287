// eight_bytes.h: eight bytes of a text, asked at once what they hold, so that a text in which there
// is seldom anything to be done is passed over a word at a time.
// x - 0x01… borrows out of the lowest zero byte, so a hit is never missed, and what it may do to the
// bytes above one that is a hit makes no answer wrong.
// Threads: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace confab::process {

class EightBytes {
 public:
  static constexpr size_t kSize = 8;

  // REQUIRES: kSize bytes can be read there.
  explicit EightBytes(const char* text) { std::memcpy(&word_, text, kSize); }

  // Not 0 if and only if there is such a byte; to be joined by |.
  uint64_t Equal(char byte) const {
    const uint64_t other = word_ ^ Each(static_cast<uint8_t>(byte));
    return (other - kOnes) & ~other & kHighBits;
  }
  // REQUIRES: limit <= 0x80.
  uint64_t Below(uint8_t limit) const { return (word_ - Each(limit)) & ~word_ & kHighBits; }

  // Each is 0x01 to 0x7F.
  bool IsAsciiWithoutNul() const { return ((word_ | (word_ - kOnes)) & kHighBits) == 0; }

 private:
  static constexpr uint64_t kOnes = 0x0101010101010101;
  static constexpr uint64_t kHighBits = 0x8080808080808080;

  static constexpr uint64_t Each(uint8_t byte) { return kOnes * byte; }

  uint64_t word_;
};

}  // namespace confab::process
