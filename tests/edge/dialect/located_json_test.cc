#include "edge/dialect/located_json.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

std::string FaultOf(std::string_view text) {
  FileFaults faults("f.json");
  const bool is_read = LocatedJson::Parse(text, faults).has_value();
  EXPECT_EQ(is_read, faults.empty());
  return std::string(faults.ToStatus().message());
}

TEST(LocatedJson, KnowsTheLineOfEveryValue) {
  FileFaults faults("f.json");
  const auto root =
      LocatedJson::Parse("{\n \"a\": 1,\n \"b\": [\n  true,\n  \"x\\ny\"\n ]\n}\n", faults);

  ASSERT_TRUE(root);
  EXPECT_EQ(root->line, 1u);
  EXPECT_EQ(root->Find("a")->line, 2u);
  EXPECT_EQ(root->Find("a")->integer, 1);
  EXPECT_EQ(root->Find("b")->line, 3u);
  EXPECT_EQ(root->Find("b")->items[0].line, 4u);
  EXPECT_EQ(root->Find("b")->items[1].line, 5u);
  EXPECT_EQ(root->Find("b")->items[1].text, "x\ny");
  EXPECT_EQ(root->Find("c"), nullptr);
}

TEST(LocatedJson, KeepsTheOrderOfMembers) {
  FileFaults faults("f.json");
  const auto root = LocatedJson::Parse(R"({"z":null,"a":-1.5,"m":{}})", faults);

  ASSERT_TRUE(root);
  ASSERT_EQ(root->members.size(), 3u);
  EXPECT_EQ(root->members[0].first, "z");
  EXPECT_EQ(root->members[1].second.number, -1.5);
  EXPECT_TRUE(root->members[2].second.is_object());
}

TEST(LocatedJson, SaysInWhichLineItIsNoJson) {
  EXPECT_EQ(FaultOf("{\n\"a\": 1,\n\"b\" 2}"), "f.json:3: not JSON: syntax error");
  EXPECT_EQ(FaultOf("{}\n{}").substr(0, 9), "f.json:2:");
  EXPECT_EQ(FaultOf("{\n\"a\": [").substr(0, 7), "f.json:");
  EXPECT_NE(FaultOf(""), "");
  EXPECT_NE(FaultOf("{\"a\":\"\xff\"}"), "");
}

TEST(LocatedJson, RefusesAMemberThatStandsTwice) {
  EXPECT_EQ(FaultOf("{\"a\": {\n\"x\": 1,\n\"y\": 2,\n\"x\": 3}}"),
            "f.json:4: \"x\" stands twice in the same object");
}

TEST(LocatedJson, RefusesWhatNestsTooDeep) {
  const std::string deep = std::string(kDialectFileDepthLimit + 1, '[');
  EXPECT_EQ(FaultOf(deep), "f.json:1: nested deeper than 16");
}

TEST(FileFaults, ShowsTheFirstAndCountsTheRest) {
  FileFaults faults("f");
  EXPECT_TRUE(faults.ToStatus().ok());
  for (size_t i = 1; i <= 25; ++i) faults.Add(i, "wrong");
  const std::string text(faults.ToStatus().message());

  EXPECT_EQ(text.substr(0, 20), "f:1: wrong\nf:2: wron");
  EXPECT_NE(text.find("f:20: wrong\nf: and 5 more"), std::string::npos);
}

}  // namespace
}  // namespace confab::edge
