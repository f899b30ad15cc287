#include "control/room/uuid7.h"

#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace confab::control {
namespace {

TEST(Uuid7, FormatsTheExampleOfTheRfc) {
  // RFC 9562, A.6.
  EXPECT_EQ(FormatUuid7(0x017F22E279B0, 0xCC3, 0x18C4DC0C0C07398F),
            "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(Uuid7, KeepsVersionAndVariantWhateverTheRandomBits) {
  EXPECT_EQ(FormatUuid7(0, 0, 0), "00000000-0000-7000-8000-000000000000");
  EXPECT_EQ(FormatUuid7(0xFFFFFFFFFFFF, 0xFFFF, ~uint64_t{0}),
            "ffffffff-ffff-7fff-bfff-ffffffffffff");
}

TEST(Uuid7, NeverComesTwice) {
  const std::regex shape("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = NewUuid7();
    EXPECT_TRUE(i > 100 || std::regex_match(id, shape)) << id;
    EXPECT_TRUE(seen.insert(id).second) << id;
  }
}

}  // namespace
}  // namespace confab::control
