#include "edge/dialect/dialect_set.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

TEST(DialectSet, FindsDialectsByName) {
  const absl::StatusOr<DialectSet> set = DialectSet::Load("");

  ASSERT_TRUE(set.ok()) << set.status();
  ASSERT_NE(set->Find("confab"), nullptr);
  EXPECT_EQ(set->Find("confab")->name(), "confab");
  EXPECT_EQ(set->Find("confab2"), nullptr);
  EXPECT_EQ(set->Find(""), nullptr);
}

TEST(DialectSet, GivesEachDialectAPlace) {
  const absl::StatusOr<DialectSet> set = DialectSet::Load("");

  ASSERT_TRUE(set.ok()) << set.status();
  for (std::size_t i = 0; i < set->size(); ++i) EXPECT_EQ(set->IndexOf(set->at(i).name()), i);
  EXPECT_EQ(set->IndexOf("nobody"), std::nullopt);
}

}  // namespace
}  // namespace confab::edge
