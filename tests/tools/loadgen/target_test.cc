#include "tools/loadgen/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::loadgen {
namespace {

using testing::HasSubstr;

TEST(Target, TakesAnAddressApart) {
  const auto target = ParseTarget("ws://127.0.0.1:8080");

  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->host, "127.0.0.1");
  EXPECT_EQ(target->port, 8080);
  EXPECT_EQ(target->host_header, "127.0.0.1:8080");
  EXPECT_EQ(target->socket_path, "/socket.io/?EIO=4&transport=websocket");
  EXPECT_EQ(target->Show(), "ws://127.0.0.1:8080");
}

TEST(Target, TakesNamesAndPathsAndIpv6) {
  const auto named = ParseTarget("ws://chat.example/talk");
  const auto six = ParseTarget("http://[::1]:81/");

  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_EQ(named->host, "chat.example");
  EXPECT_EQ(named->port, 80);
  EXPECT_EQ(named->socket_path, "/talk/?EIO=4&transport=websocket");
  ASSERT_TRUE(six.ok()) << six.status();
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, 81);
}

TEST(Target, SaysWhatIsWrong) {
  const auto says = [](const char* url) {
    return std::string(ParseTarget(url).status().message());
  };

  EXPECT_THAT(says("wss://a"), HasSubstr("TLS is not spoken here"));
  for (const char* url : {"", "127.0.0.1:80", "ftp://a", "ws://", "ws://:80", "ws://a:0",
                          "ws://a:x", "ws://a:70000", "ws://[::1"}) {
    EXPECT_THAT(says(url), HasSubstr("give ws://HOST:PORT")) << url;
  }
  EXPECT_THAT(says("ws://a/b?c=d"), HasSubstr("no query"));
}

}  // namespace
}  // namespace confab::loadgen
