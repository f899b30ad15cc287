#include "edge/recovery/offset.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "edge/recovery/pid.h"

namespace confab::edge {
namespace {

TEST(Offset, NamesEdgeEpochAndNumber) {
  const std::string beginning = OffsetBeginning("edge-1.example.org:8080", 1234);
  OffsetStamp stamp(beginning);
  stamp.Set(NumberOf(7, 3));
  std::string out = R"(42["newMessage",{"seq":1}])";

  stamp.Append(out);

  EXPECT_EQ(out, R"(42["newMessage",{"seq":1},"edge-1.example.org:8080.1234.7340035"])");
  const auto offset = ParseOffset("edge-1.example.org:8080.1234.7340035");
  ASSERT_TRUE(offset.has_value());
  EXPECT_EQ(offset->edge_id, "edge-1.example.org:8080");
  EXPECT_EQ(offset->epoch, 1234U);
  EXPECT_EQ(BroadcastsOf(offset->number), 7U);
  EXPECT_EQ(AloneOf(offset->number), 3U);
}

TEST(Offset, IsNoneOfOursOtherwise) {
  for (const char* text : {"", ".", "..", "a", "a.1", ".1.2", "a.1.", "a..2", "a.1.x", "a.1.-2",
                           "a.1.+2", "a.1. 2", "a.1.2 ", "a.1.18446744073709551616"}) {
    EXPECT_FALSE(ParseOffset(text).has_value()) << text;
  }
  EXPECT_TRUE(ParseOffset("a.1.18446744073709551615").has_value());
  EXPECT_FALSE(ParseOffset(std::string(kOffsetBytesLimit, 'a') + ".1.2").has_value());
}

TEST(RecoveringDialects, AreThoseThatAreNamed) {
  const std::string beginning;
  OffsetStamp stamp(beginning);
  const std::vector<bool> second = {false, true};

  EXPECT_EQ(RecoveringDialects().StampOf(0), nullptr);
  const RecoveringDialects dialects{.dialects = &second, .stamp = &stamp};
  EXPECT_EQ(dialects.StampOf(0), nullptr);
  EXPECT_EQ(dialects.StampOf(1), &stamp);
  EXPECT_EQ(dialects.StampOf(2), nullptr);
}

TEST(Pid, IsRandomAndReadsBack) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const Pid pid = DrawPid();
    const std::string text = TextOfPid(pid);
    EXPECT_EQ(text.size(), 32U);
    EXPECT_TRUE(ParsePid(text) == pid);
    seen.insert(text);
  }
  EXPECT_EQ(seen.size(), 100U);
  EXPECT_EQ(TextOfPid({.high = 1, .low = 0xab}), "000000000000000100000000000000ab");
}

TEST(Pid, IsNoneOfOursOtherwise) {
  EXPECT_FALSE(ParsePid("").has_value());
  EXPECT_FALSE(ParsePid("00000000000000010000000000000AB0").has_value());
  EXPECT_FALSE(ParsePid("0x000000000000010000000000000ab0").has_value());
  EXPECT_FALSE(ParsePid("000000000000000100000000000000ab0").has_value());
}

}  // namespace
}  // namespace confab::edge
