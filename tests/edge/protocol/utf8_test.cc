#include "edge/protocol/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

TEST(Utf8, TakesText) {
  for (const std::string text :
       {"", "a", "plain text of some length", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
        "a\xe6\xbc\xa2 \xf0\x9f\xa6\x9c z"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
    EXPECT_TRUE(IsUtf8("1234567" + text + "abcdefgh")) << text;
  }
}

TEST(Utf8, RefusesWhatIsNone) {
  for (const std::string bytes :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2z", "\xe0\x9f\xbf", "\xe1\x80",
        "\xe1\x80z", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf1\x80\x80", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff", "\xfe"}) {
    EXPECT_FALSE(IsUtf8(bytes));
    EXPECT_FALSE(IsUtf8("1234567" + bytes));
    EXPECT_FALSE(IsUtf8("12345678" + bytes + "abcdefgh"));
  }
}

}  // namespace
}  // namespace confab::edge
