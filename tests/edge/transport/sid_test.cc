#include "edge/transport/sid.h"

#include <set>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

TEST(Sid, SaysWhereItsSessionLives) {
  for (const int thread : {0, 1, 63, 255}) {
    for (const int edge : {0, 1, 0xabcd, 0xffff}) {
      const SidPlace place{.thread = static_cast<std::uint8_t>(thread),
                           .edge = static_cast<std::uint16_t>(edge)};

      const auto read = PlaceOfSid(NewSid(place));

      ASSERT_TRUE(read.has_value());
      EXPECT_EQ(read->thread, place.thread);
      EXPECT_EQ(read->edge, place.edge);
    }
  }
}

TEST(Sid, IsNewEachTime) {
  std::set<std::string> sids;
  for (int i = 0; i < 1000; ++i) sids.insert(NewSid({}));

  EXPECT_EQ(sids.size(), 1000U);
  EXPECT_EQ(sids.begin()->size(), 24U);
}

TEST(Sid, TakesNothingElseForOne) {
  for (const char* sid : {"", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAA",
                          "!!!!AAAAAAAAAAAAAAAAAAAA", "====AAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_FALSE(PlaceOfSid(sid).has_value()) << sid;
  }
}

}  // namespace
}  // namespace confab::edge
