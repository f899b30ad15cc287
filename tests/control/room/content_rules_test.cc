#include "control/room/content_rules.h"

#include <string>

#include <gtest/gtest.h>

namespace confab::control {
namespace {

std::string Times(size_t n, const std::string& text) {
  std::string all;
  for (size_t i = 0; i < n; ++i) all += text;
  return all;
}

v1::Reason ReasonFor(const std::string& content, const std::string& type = "",
                     const std::string& reply_to = "", const std::string& body = "") {
  const auto refusal = CheckMessage(content, type, reply_to, body);
  return refusal ? refusal->reason : v1::REASON_UNSPECIFIED;
}

TEST(ContentRules, TakeWhatIsAllowedToTheLastByte) {
  EXPECT_EQ(ReasonFor("x"), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(ReasonFor(std::string(4000, 'x')), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(ReasonFor(Times(4000, "\xF0\x9F\x98\x80")), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(ReasonFor("x", std::string(32, 't'), std::string(128, 'r')), v1::REASON_UNSPECIFIED);
}

TEST(ContentRules, RefuseContentByItsSize) {
  EXPECT_EQ(ReasonFor(""), v1::REASON_CONTENT_SIZE);
  EXPECT_EQ(ReasonFor(std::string(4001, 'x')), v1::REASON_CONTENT_SIZE);
  EXPECT_EQ(ReasonFor(std::string(16 * 1024 + 1, 'x')), v1::REASON_CONTENT_SIZE);
  EXPECT_EQ(ReasonFor(Times(4001, "\xC3\xA9")), v1::REASON_CONTENT_SIZE);
}

TEST(ContentRules, RefuseBytesThatAreNoText) {
  EXPECT_EQ(ReasonFor("\xC3"), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonFor("\xED\xA0\x80"), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonFor(std::string("a\0b", 3)), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonFor("x", "\xFF"), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonFor("x", "", "\xFF"), v1::REASON_BAD_REQUEST);
}

TEST(ContentRules, ReserveTheTypeSystem) {
  EXPECT_EQ(ReasonFor("x", "system"), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonFor("x", std::string(33, 't')), v1::REASON_BAD_REQUEST);
}

TEST(ContentRules, TakeAJsonBodyInPlaceOfContent) {
  EXPECT_EQ(ReasonFor("", "", "", "{}"), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(ReasonFor("", "", "", '"' + std::string(16 * 1024 - 2, 'x') + '"'),
            v1::REASON_UNSPECIFIED);
  EXPECT_EQ(ReasonFor("", "", "", '"' + std::string(16 * 1024 - 1, 'x') + '"'),
            v1::REASON_CONTENT_SIZE);
  EXPECT_EQ(ReasonFor("x", "", "", "{"), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonFor("x", "", "", " "), v1::REASON_BAD_REQUEST);
  EXPECT_EQ(TypeOr("", ""), "text");
  EXPECT_EQ(TypeOr("", "{}"), "custom");
  EXPECT_EQ(TypeOr("poll", "{}"), "poll");
}

TEST(ContentRules, BoundMentions) {
  std::vector<storage::UserId> users(50, storage::UserId("ann"));
  EXPECT_FALSE(CheckMentions(users));
  users.emplace_back("bob");
  EXPECT_TRUE(CheckMentions(users));
  EXPECT_TRUE(CheckMentions({storage::UserId("")}));
  EXPECT_TRUE(CheckMentions({storage::UserId(std::string(129, 'u'))}));
}

TEST(ContentRules, BoundIds) {
  EXPECT_FALSE(CheckId("1", "roomId"));
  EXPECT_FALSE(CheckId(std::string(128, 'r'), "roomId"));
  EXPECT_TRUE(CheckId("", "roomId"));
  EXPECT_TRUE(CheckId(std::string(129, 'r'), "roomId"));
  EXPECT_TRUE(CheckId(std::string("a\0", 2), "roomId"));
  EXPECT_FALSE(CheckOptionalKey("", "clientMsgId"));
  EXPECT_TRUE(CheckOptionalKey(std::string(129, 'k'), "clientMsgId"));
}

}  // namespace
}  // namespace confab::control
