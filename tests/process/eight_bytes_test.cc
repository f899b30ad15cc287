#include "process/eight_bytes.h"

#include <string>

#include <gtest/gtest.h>

namespace confab::process {
namespace {

// Each byte at each place among others, which the arithmetic may carry into.
template <typename Check>
void ForEachByteAtEachPlace(Check check) {
  for (const char filler : {'\x01', 'a', '\x7F', '\x80', '\xFF', '\0'}) {
    for (size_t place = 0; place < EightBytes::kSize; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(EightBytes::kSize, filler);
        text[place] = static_cast<char>(byte);
        check(text);
      }
    }
  }
}

TEST(EightBytes, FindsAByteWhereverItStands) {
  for (const char sought : {'\0', '\x01', '"', '\\', '\x7F', '\x80', '\xFF'}) {
    ForEachByteAtEachPlace([sought](const std::string& text) {
      ASSERT_EQ(EightBytes(text.data()).Equal(sought) != 0, text.find(sought) != std::string::npos);
    });
  }
}

TEST(EightBytes, FindsWhatIsBelowALimit) {
  for (const int limit : {1, 0x20, 0x80}) {
    ForEachByteAtEachPlace([limit](const std::string& text) {
      bool is_below = false;
      for (const char byte : text) is_below |= static_cast<uint8_t>(byte) < limit;
      ASSERT_EQ(EightBytes(text.data()).Below(static_cast<uint8_t>(limit)) != 0, is_below);
    });
  }
}

TEST(EightBytes, TellsAsciiWithoutNul) {
  ForEachByteAtEachPlace([](const std::string& text) {
    bool is_plain = true;
    for (const char byte : text) is_plain &= byte != '\0' && static_cast<uint8_t>(byte) < 0x80;
    ASSERT_EQ(EightBytes(text.data()).IsAsciiWithoutNul(), is_plain);
  });
}

}  // namespace
}  // namespace confab::process
