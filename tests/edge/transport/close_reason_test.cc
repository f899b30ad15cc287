#include "edge/transport/close_reason.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

// RFC 6455 5.5: 125 bytes a control frame, two of them for the code.
constexpr size_t kCloseTextBytesMax = 123;

TEST(CloseReason, HasOneCodeAndOneWordEach) {
  std::set<int> codes;
  std::set<std::string_view> words;
  for (int i = 0; i < kCloseReasonCount; ++i) {
    const CloseTraits& traits = TraitsOf(static_cast<CloseReason>(i));

    EXPECT_TRUE(codes.insert(traits.code).second) << traits.word;
    EXPECT_TRUE(words.insert(traits.word).second) << traits.word;
    EXPECT_FALSE(traits.word.empty()) << i;
    EXPECT_FALSE(traits.text.empty()) << traits.word;
    EXPECT_LE(traits.text.size(), kCloseTextBytesMax) << traits.word;
  }
}

TEST(CloseReason, TellsByTheCodeWhetherToComeBack) {
  for (int i = 0; i < kCloseReasonCount; ++i) {
    const CloseTraits& traits = TraitsOf(static_cast<CloseReason>(i));

    EXPECT_GE(traits.code, 1000) << traits.word;
    EXPECT_LT(traits.code, 5000) << traits.word;
    EXPECT_EQ(traits.may_return, traits.code < 4500) << traits.word;
  }
}

TEST(CloseReason, KeepsTheCodesClientsKnow) {
  EXPECT_EQ(TraitsOf(CloseReason::kNormal).code, 1000);
  EXPECT_EQ(TraitsOf(CloseReason::kServerStopping).code, 1001);
  EXPECT_EQ(TraitsOf(CloseReason::kMessageTooBig).code, 1009);
  EXPECT_EQ(TraitsOf(CloseReason::kInvalidUtf8).code, 1007);
  EXPECT_EQ(TraitsOf(CloseReason::kTokenExpired).code, 4001);
  EXPECT_EQ(TraitsOf(CloseReason::kRateLimited).code, 4008);
  EXPECT_EQ(TraitsOf(CloseReason::kSlowReader).code, 4009);
  EXPECT_EQ(TraitsOf(CloseReason::kDraining).code, 4010);
  EXPECT_EQ(TraitsOf(CloseReason::kTokenInvalid).code, 4501);
  EXPECT_EQ(TraitsOf(CloseReason::kForbidden).code, 4503);
  EXPECT_EQ(TraitsOf(CloseReason::kReplaced).code, 4504);
}

}  // namespace
}  // namespace confab::edge
