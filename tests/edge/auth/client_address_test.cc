#include "edge/auth/client_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using testing::HasSubstr;

ProxyTrust Trust(const std::vector<std::string>& networks) {
  return ProxyTrust::Create(networks).value();
}

std::string ClientOf(const ProxyTrust& trust, std::string_view peer, std::string_view header) {
  return trust.ClientOf(IpAddress::Parse(peer).value(), header).address.ToString();
}

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  const auto shown = [](std::string_view text) { return IpAddress::Parse(text)->ToString(); };

  EXPECT_EQ(shown("203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(shown("2001:DB8:0:0::1"), "2001:db8::1");
  EXPECT_EQ(shown("::ffff:203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(shown("::"), "::");
  for (const std::string_view text :
       {"", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "::1%lo",
        ":::", "g::", "localhost", "[::1]", "1.2.3.4/8"}) {
    EXPECT_FALSE(IpAddress::Parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::Parse(std::string_view("1.2.3.4\0x", 9)));
}

TEST(IpAddress, KnowsLoopback) {
  for (const std::string_view text : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(IpAddress::Parse(text)->is_loopback()) << text;
  }
  for (const std::string_view text : {"128.0.0.1", "10.0.0.1", "::2", "1::1", "::", "0.0.0.1"}) {
    EXPECT_FALSE(IpAddress::Parse(text)->is_loopback()) << text;
  }
}

TEST(ProxyTrust, BelievesNoHeaderWithoutProxies) {
  const ProxyTrust nobody = Trust({});

  EXPECT_EQ(ClientOf(nobody, "203.0.113.7", "198.51.100.1"), "203.0.113.7");
  EXPECT_EQ(ClientOf(nobody, "127.0.0.1", "198.51.100.1"), "127.0.0.1");
}

TEST(ProxyTrust, BelievesNoHeaderOfAStranger) {
  EXPECT_EQ(ClientOf(Trust({"10.0.0.0/8"}), "203.0.113.7", "198.51.100.1"), "203.0.113.7");
}

TEST(ProxyTrust, TakesTheRightmostHopThatIsNotTrusted) {
  const ProxyTrust trust = Trust({"10.0.0.0/8", "fd00::/8"});

  EXPECT_EQ(ClientOf(trust, "10.0.0.1", "198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(ClientOf(trust, "10.0.0.1", "6.6.6.6, 198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(ClientOf(trust, "10.0.0.1", "6.6.6.6,198.51.100.1 , fd00::2,\t10.9.9.9"),
            "198.51.100.1");
  EXPECT_EQ(ClientOf(trust, "fd00::1", "2001:db8::5"), "2001:db8::5");
  EXPECT_EQ(ClientOf(trust, "::ffff:10.0.0.1", "198.51.100.1"), "198.51.100.1");
}

TEST(ProxyTrust, TakesTheFarthestProxyIfAllAreTrusted) {
  const ProxyTrust trust = Trust({"10.0.0.0/8"});

  EXPECT_EQ(ClientOf(trust, "10.0.0.1", ""), "10.0.0.1");
  EXPECT_EQ(ClientOf(trust, "10.0.0.1", " "), "10.0.0.1");
  EXPECT_EQ(ClientOf(trust, "10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3");
}

TEST(ProxyTrust, ReadsHopsWithPorts) {
  const ProxyTrust trust = Trust({"10.0.0.1"});

  EXPECT_EQ(ClientOf(trust, "10.0.0.1", "198.51.100.1:4711"), "198.51.100.1");
  EXPECT_EQ(ClientOf(trust, "10.0.0.1", "[2001:db8::5]:4711"), "2001:db8::5");
  EXPECT_EQ(ClientOf(trust, "10.0.0.1", "[2001:db8::5]"), "2001:db8::5");
}

TEST(ProxyTrust, StopsAtWhatIsNoAddress) {
  const ProxyTrust trust = Trust({"10.0.0.0/8"});

  for (const std::string_view hop : {"unknown", "_hidden", "1.2.3.4:x", "1.2.3.4:99999", "[::1",
                                     "[::1]x", "[::1]:", "1.2.3", "", "-", "1.2.3.4 5.6.7.8"}) {
    EXPECT_EQ(ClientOf(trust, "10.0.0.1", "6.6.6.6," + std::string(hop) + ",10.0.0.2"), "10.0.0.2")
        << hop;
  }
}

TEST(ProxyTrust, ReadsABoundedChain) {
  const ProxyTrust trust = Trust({"10.0.0.0/8"});
  std::string chain = "6.6.6.6";
  for (int i = 0; i < 1000; ++i) chain += ",10.0.0.2";

  EXPECT_EQ(ClientOf(trust, "10.0.0.1", chain), "10.0.0.2");
}

TEST(ProxyTrust, KnowsNetworksToTheBit) {
  const ProxyTrust trust = Trust({"10.1.32.0/19", "2001:db8:8000::/33", "192.0.2.1"});
  const auto trusts = [&](std::string_view text) { return trust.Trusts(*IpAddress::Parse(text)); };

  EXPECT_TRUE(trusts("10.1.32.0"));
  EXPECT_TRUE(trusts("10.1.63.255"));
  EXPECT_FALSE(trusts("10.1.64.0"));
  EXPECT_FALSE(trusts("10.1.31.255"));
  EXPECT_TRUE(trusts("2001:db8:ffff::1"));
  EXPECT_FALSE(trusts("2001:db8:7fff::1"));
  EXPECT_TRUE(trusts("192.0.2.1"));
  EXPECT_FALSE(trusts("192.0.2.0"));
  EXPECT_TRUE(Trust({"0.0.0.0/0"}).Trusts(*IpAddress::Parse("8.8.8.8")));
  EXPECT_FALSE(Trust({"0.0.0.0/0"}).Trusts(*IpAddress::Parse("2001:db8::1")));
  EXPECT_TRUE(Trust({"::/0"}).Trusts(*IpAddress::Parse("8.8.8.8")));
}

TEST(ProxyTrust, ExemptsLoopbackOnlyWithoutProxies) {
  const auto is_exempt = [](const ProxyTrust& trust, std::string_view peer) {
    return trust.ClientOf(*IpAddress::Parse(peer), "127.0.0.1").is_exempt;
  };

  EXPECT_TRUE(is_exempt(Trust({}), "127.0.0.1"));
  EXPECT_TRUE(is_exempt(Trust({}), "::1"));
  EXPECT_FALSE(is_exempt(Trust({}), "203.0.113.7"));
  EXPECT_FALSE(is_exempt(Trust({"127.0.0.0/8"}), "127.0.0.1"));
  EXPECT_FALSE(is_exempt(Trust({"10.0.0.0/8"}), "127.0.0.1"));
  EXPECT_FALSE(is_exempt(Trust({"10.0.0.0/8"}), "10.0.0.1"));
}

TEST(ProxyTrust, SaysWhichNetworkIsWrong) {
  for (const std::string text : {"", "localhost", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/",
                                 "10.0.0.0/8x", "fd00::/129", "/8", "10.0.0/8"}) {
    EXPECT_THAT(std::string(ProxyTrust::Create({"10.0.0.1", text}).status().message()),
                HasSubstr("trusted proxy \"" + std::string(text) + "\""));
  }
}

}  // namespace
}  // namespace confab::edge
