#include "tools/loadgen/http_answer.h"

#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

constexpr std::string_view kRefusal =
    "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 3\r\n"
    "Content-Length: 54\r\n\r\n"
    R"({"error":{"reason":"RATE_LIMITED","message":"slower"}})";

TEST(HttpAnswer, IsReadInWhateverPieces) {
  for (const size_t piece : {size_t{1}, size_t{7}, kRefusal.size()}) {
    HttpAnswerReader reader;
    for (size_t at = 0; at < kRefusal.size(); at += piece) {
      ASSERT_FALSE(reader.is_whole()) << at;
      std::string_view bytes = kRefusal.substr(at, piece);
      ASSERT_TRUE(reader.Read(bytes)) << at;
      EXPECT_TRUE(bytes.empty());
    }
    ASSERT_TRUE(reader.is_whole()) << piece;

    const HttpAnswer answer = reader.Take();

    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.retry_after_s, 3);
    EXPECT_TRUE(answer.keeps_alive);
    EXPECT_EQ(RefusalOf(answer).reason, "RATE_LIMITED");
    EXPECT_EQ(RefusalOf(answer).message, "slower");
  }
}

TEST(HttpAnswer, OfAnUpgradeLeavesTheFramesBehindIt) {
  HttpAnswerReader reader;
  std::string_view first = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n";
  std::string_view second = "Connection: Upgrade\r\n\r\n\x81\x02hi";

  ASSERT_TRUE(reader.Read(first));
  ASSERT_FALSE(reader.is_whole());
  ASSERT_TRUE(reader.Read(second));

  ASSERT_TRUE(reader.is_whole());
  EXPECT_EQ(reader.Take().status, 101);
  EXPECT_EQ(second, "\x81\x02hi");
}

TEST(HttpAnswer, ReadsRefusalsOfEngineIo) {
  EXPECT_EQ(RefusalOf({.status = 429, .body = R"({"code":4,"message":"too many"})"}).message,
            "too many");
  EXPECT_EQ(RefusalOf({.status = 500, .body = "oops"}).message, "");
}

TEST(HttpAnswer, IsNoneOfWhatSpeaksAnotherProtocol) {
  HttpAnswerReader reader;
  std::string_view bytes = "SSH-2.0-OpenSSH_9.2\r\n\r\n";

  EXPECT_FALSE(reader.Read(bytes));
}

}  // namespace
}  // namespace confab::loadgen
