#include "process/listen_address.h"

#include <initializer_list>

#include <gtest/gtest.h>

namespace confab::process {
namespace {

TEST(ListenAddress, ReadsHostAndPort) {
  const struct {
    std::string_view text;
    std::string_view host;
    uint16_t port;
    bool is_loopback;
  } cases[] = {
      {"127.0.0.1:8080", "127.0.0.1", 8080, true},
      {"127.9.9.9:0", "127.9.9.9", 0, true},
      {"localhost:65535", "127.0.0.1", 65535, true},
      {"[::1]:1", "::1", 1, true},
      {"[::]:1", "::", 1, false},
      {":80", "0.0.0.0", 80, false},
      {"*:80", "0.0.0.0", 80, false},
      {"10.0.0.1:80", "10.0.0.1", 80, false},
  };
  for (const auto& wanted : cases) {
    const absl::StatusOr<ListenAddress> address = ParseListenAddress(wanted.text);

    ASSERT_TRUE(address.ok()) << wanted.text;
    EXPECT_EQ(address->host, wanted.host);
    EXPECT_EQ(address->port, wanted.port);
    EXPECT_EQ(address->is_loopback, wanted.is_loopback) << wanted.text;
  }
}

TEST(ListenAddress, RefusesEverythingElse) {
  for (const std::string_view text : std::initializer_list<std::string_view>{
           "", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8o",
           "127.0.0.1:+1", "127.0.0.1: 1", "::1:80", "[127.0.0.1]:80", "[::1]80", "[]:80",
           "example.com:80", "1.2.3:80", "http://127.0.0.1:80",
           std::string_view("127.0.0.1\0:80", 13)}) {
    EXPECT_FALSE(ParseListenAddress(text).ok()) << text;
  }
}

TEST(ListenAddress, ShowsWhatItReads) {
  EXPECT_EQ(ShowAddress("127.0.0.1", 80), "127.0.0.1:80");
  EXPECT_EQ(ShowAddress("::1", 80), "[::1]:80");
}

}  // namespace
}  // namespace confab::process
