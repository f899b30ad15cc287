#include "storage/postgres/text_array.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace confab::storage {
namespace {

TEST(TextArray, QuotesEveryTextAndEscapesQuotesAndBackslashes) {
  TextArray array;
  for (const char* text : {"", "NULL", "{a,b}", "say \"hi\"", "c:\\x\\", "\\\"", "two\nlines"}) {
    array.Add(std::string_view(text));
  }

  EXPECT_EQ(array.Finish(),
            "{\"\",\"NULL\",\"{a,b}\",\"say \\\"hi\\\"\",\"c:\\\\x\\\\\",\"\\\\\\\"\","
            "\"two\nlines\"}");
}

TEST(TextArray, WritesNumbersAndLettersInFrontOfText) {
  TextArray numbers;
  numbers.Add(std::numeric_limits<int64_t>::min());
  numbers.Add(int64_t{7});
  TextArray keys;
  keys.Add('c', "a\"b");

  EXPECT_EQ(numbers.Finish(), "{-9223372036854775808,7}");
  EXPECT_EQ(keys.Finish(), "{\"ca\\\"b\"}");
}

// Texts are looked at eight bytes at a time.
TEST(TextArray, EscapesWhereverInATextOfWhateverLength) {
  for (size_t length = 1; length <= 34; ++length) {
    for (size_t place = 0; place < length; ++place) {
      for (const char special : {'"', '\\'}) {
        std::string text(length, 'x');
        text[place] = special;
        TextArray array;
        array.Add(text);

        const std::string escaped = std::string(place, 'x') + '\\' + text.substr(place);
        ASSERT_EQ(array.Finish(), "{\"" + escaped + "\"}") << length << " " << place;
      }
    }
    TextArray all;
    all.Add(std::string(length, '"'));
    std::string escaped;
    for (size_t i = 0; i < length; ++i) escaped += "\\\"";
    ASSERT_EQ(all.Finish(), "{\"" + escaped + "\"}") << length;
  }
}

TEST(TextArray, LeavesNeighboursOfWhatItEscapesAndLettersBeyondAsciiAlone) {
  // One below and above each of the two, and bytes of letters whose low bits are theirs.
  const std::string text = "!#[]\xA2\xDC\xE2\x9C\xA2!#[]\x01\x7F";
  TextArray array;
  array.Add(text);

  EXPECT_EQ(array.Finish(), "{\"" + text + "\"}");
}

TEST(TextArray, IsTheSameWhateverItWasToldToExpect) {
  TextArray expecting(1000);
  expecting.Add("a");
  EXPECT_EQ(expecting.Finish(), "{\"a\"}");
  EXPECT_EQ(TextArray(1000).Finish(), "{}");
}

TEST(TextArray, IsEmptyWithoutElements) { EXPECT_EQ(TextArray().Finish(), "{}"); }

}  // namespace
}  // namespace confab::storage
