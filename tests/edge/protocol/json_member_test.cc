#include "edge/protocol/json_member.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

TEST(JsonMember, FindsValuesAsTheyWereWritten) {
  const std::string_view text =
      R"( ["a,]\"", { "x" : 1.50 , "body":{ "b" : "}\\" , "c":[ {} ] } , "last" : null } , -0 ] )";

  EXPECT_EQ(FindJsonElement(text, 0), R"("a,]\"")");
  EXPECT_EQ(FindJsonElement(text, 2), "-0");
  EXPECT_EQ(FindJsonElement(text, 3), std::nullopt);
  const std::string_view object = *FindJsonElement(text, 1);
  EXPECT_EQ(FindJsonMember(object, "x"), "1.50");
  EXPECT_EQ(FindJsonMember(object, "body"), R"({ "b" : "}\\" , "c":[ {} ] })");
  EXPECT_EQ(FindJsonMember(object, "last"), "null");
  EXPECT_EQ(FindJsonMember(object, "b"), std::nullopt);
}

TEST(JsonMember, TakesTheLastOfTheSameNameAsAParserDoes) {
  EXPECT_EQ(FindJsonMember(R"({"a":1,"a":[2],"b":3})", "a"), "[2]");
}

TEST(JsonMember, FindsNothingWhereNothingStands) {
  EXPECT_EQ(FindJsonElement("[ ]", 0), std::nullopt);
  EXPECT_EQ(FindJsonElement("{}", 0), std::nullopt);
  EXPECT_EQ(FindJsonMember("{ }", "a"), std::nullopt);
  EXPECT_EQ(FindJsonMember("[1]", "a"), std::nullopt);
  EXPECT_EQ(FindJsonMember("", "a"), std::nullopt);
  EXPECT_EQ(FindJsonMember(R"({"\u0061":1})", "a"), std::nullopt);
}

}  // namespace
}  // namespace confab::edge
