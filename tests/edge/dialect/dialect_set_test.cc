#include "edge/dialect/dialect_set.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/process/temp_dir.h"

namespace confab::edge {
namespace {

using testing::HasSubstr;

class DialectSetTest : public testing::Test {
 protected:
  void Write(const std::string& file, const std::string& text) {
    std::ofstream(directory_.path() / file) << text;
  }
  static std::string DialectNamed(const std::string& name) {
    return R"({"dialect": ")" + name + R"(", "refusals": {"default": {}}})";
  }

  process::TempDir directory_;
};

TEST_F(DialectSetTest, FindsDialectsByName) {
  const absl::StatusOr<DialectSet> set = DialectSet::Load("");

  ASSERT_TRUE(set.ok()) << set.status();
  ASSERT_NE(set->Find("confab"), nullptr);
  EXPECT_EQ(set->Find("confab")->name(), "confab");
  EXPECT_EQ(set->Find("confab2"), nullptr);
  EXPECT_EQ(set->Find(""), nullptr);
}

TEST_F(DialectSetTest, GivesEachDialectAPlace) {
  const absl::StatusOr<DialectSet> set = DialectSet::Load("");

  ASSERT_TRUE(set.ok()) << set.status();
  for (std::size_t i = 0; i < set->size(); ++i) EXPECT_EQ(set->IndexOf(set->at(i).name()), i);
  EXPECT_EQ(set->IndexOf("nobody"), std::nullopt);
}

TEST_F(DialectSetTest, AddsAnOperatorsOwnByFileName) {
  Write("2.json", DialectNamed("alpha"));
  Write("1.json", DialectNamed("omega"));
  Write("notes.txt", "no dialect");

  const absl::StatusOr<DialectSet> set = DialectSet::Load(directory_.path());

  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->Names(), "acked, confab, events, namespaced, rooms, rooms-classic, omega, alpha");
}

TEST_F(DialectSetTest, RefusesANameThatIsTaken) {
  Write("mine.json", DialectNamed("rooms"));

  const absl::StatusOr<DialectSet> set = DialectSet::Load(directory_.path());

  EXPECT_THAT(std::string(set.status().message()),
              HasSubstr("mine.json: there is another dialect named rooms"));
}

TEST_F(DialectSetTest, SaysWhatIsWrongWithAFile) {
  Write("mine.json", "{\n\"dialect\": \"mine\"}");

  const absl::StatusOr<DialectSet> set = DialectSet::Load(directory_.path());

  EXPECT_THAT(std::string(set.status().message()),
              HasSubstr("/mine.json:1: \"refusals\" needs a \"default\""));
}

TEST_F(DialectSetTest, SaysThatADirectoryCannotBeRead) {
  EXPECT_THAT(std::string(DialectSet::Load("/no/such/directory").status().message()),
              HasSubstr("/no/such/directory: the directory of dialects cannot be read"));
}

}  // namespace
}  // namespace confab::edge
