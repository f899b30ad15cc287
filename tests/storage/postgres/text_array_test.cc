#include "storage/postgres/text_array.h"

#include <limits>

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

TEST(TextArray, IsEmptyWithoutElements) { EXPECT_EQ(TextArray().Finish(), "{}"); }

}  // namespace
}  // namespace confab::storage
