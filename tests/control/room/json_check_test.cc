#include "control/room/json_check.h"

#include <string>

#include <gtest/gtest.h>

namespace confab::control {
namespace {

std::string Nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonCheck, TakesEveryKindOfValue) {
  for (const std::string text : {"null",
                                 "true",
                                 "false",
                                 "0",
                                 "-0",
                                 "12",
                                 "-1.50",
                                 "1e9",
                                 "1E+9",
                                 "0.1e-7",
                                 "\"\"",
                                 "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u0000\"",
                                 "\"\\uD83D\\uDE00\"",
                                 "\"z\xC3\xBC\"",
                                 "[]",
                                 "{}",
                                 "[1,\"2\",[],{}]",
                                 "{\"a\":1,\"b\":{\"a\":[null]}}",
                                 " \t\r\n{ \"a\" : [ 1 , 2 ] } \n",
                                 "{\"a\":1,\"a\":2}"}) {
    EXPECT_TRUE(IsJson(text)) << text;
  }
}

TEST(JsonCheck, RefusesWhatIsNoValueOrMoreThanOne) {
  for (const std::string text : {"",
                                 " ",
                                 "nul",
                                 "True",
                                 "NaN",
                                 "+1",
                                 "01",
                                 "1.",
                                 ".5",
                                 "1e",
                                 "-",
                                 "1 2",
                                 "[1,]",
                                 "[,1]",
                                 "[1 2]",
                                 "[1",
                                 "{",
                                 "{\"a\"}",
                                 "{a:1}",
                                 "{\"a\":}",
                                 "{\"a\":1,}",
                                 "{1:2}",
                                 "\"a",
                                 "\"\\x\"",
                                 "\"\\u12\"",
                                 "\"\\u12g4\"",
                                 "\"a\nb\"",
                                 "\"\\uD83D\"",
                                 "\"\\uDE00\"",
                                 "\"\\uD83Dx\"",
                                 "\"\\uD83D\\u0041\"",
                                 "'a'",
                                 "// x\n1",
                                 "\"\xFF\"",
                                 "\xEF\xBB\xBF"
                                 "1",
                                 "]",
                                 "{}}"}) {
    EXPECT_FALSE(IsJson(text)) << text;
  }
  EXPECT_FALSE(IsJson(std::string("\"a\0b\"", 5)));
}

TEST(JsonCheck, BoundsTheDepth) {
  EXPECT_TRUE(IsJson(Nested(32)));
  EXPECT_FALSE(IsJson(Nested(33)));
  EXPECT_FALSE(IsJson(std::string(16 * 1024, '[')));
  EXPECT_TRUE(IsJson("[" + Nested(30) + "," + Nested(31) + "]"));
}

}  // namespace
}  // namespace confab::control
