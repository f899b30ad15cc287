#include "control/room/uuid7.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <random>
#include <sys/random.h>

namespace confab::control {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

struct RandomBits {
  uint16_t a = 0;
  uint64_t b = 0;
};

// A system call for each id would cost more than the rest of it; 256 bytes are what the kernel
// gives without ever being interrupted.
class RandomPool {
 public:
  RandomBits Take() {
    RandomBits bits;
    if (used_ + sizeof(bits.a) + sizeof(bits.b) > bytes_.size()) Refill();
    std::memcpy(&bits.a, bytes_.data() + used_, sizeof(bits.a));
    std::memcpy(&bits.b, bytes_.data() + used_ + sizeof(bits.a), sizeof(bits.b));
    used_ += sizeof(bits.a) + sizeof(bits.b);
    return bits;
  }

 private:
  void Refill() {
    used_ = 0;
    if (getentropy(bytes_.data(), bytes_.size()) == 0) return;
    std::random_device device;
    for (uint8_t& byte : bytes_) byte = static_cast<uint8_t>(device());
  }

  std::array<uint8_t, 256> bytes_{};
  size_t used_ = sizeof(bytes_);
};

}  // namespace

std::string FormatUuid7(int64_t unix_ms, uint16_t random_a, uint64_t random_b) {
  const uint64_t high = (static_cast<uint64_t>(unix_ms) << 16) | 0x7000u | (random_a & 0x0FFFu);
  const uint64_t low = (random_b & 0x3FFFFFFFFFFFFFFFu) | 0x8000000000000000u;
  std::string text(36, '-');
  size_t at = 0;
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (at == 8 || at == 13 || at == 18 || at == 23) ++at;
    const uint64_t half = nibble < 16 ? high : low;
    text[at++] = kDigits[(half >> (60 - 4 * (nibble % 16))) & 0xFu];
  }
  return text;
}

std::string NewUuid7() {
  thread_local RandomPool pool;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const int64_t unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const RandomBits bits = pool.Take();
  return FormatUuid7(unix_ms, bits.a, bits.b);
}

}  // namespace confab::control
