#include "edge/auth/origin_policy.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

constexpr std::string_view kHost = "chat.example:8080";

OriginPolicy Policy(const std::vector<std::string>& allowed, bool is_loopback_listener = false) {
  auto policy = OriginPolicy::Create(allowed, is_loopback_listener);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return *std::move(policy);
}

TEST(OriginPolicy, AllowsWhoSendsNone) { EXPECT_TRUE(Policy({}).Allows(std::nullopt, kHost)); }

TEST(OriginPolicy, AllowsTheSameHost) {
  EXPECT_TRUE(Policy({}).Allows("http://chat.example:8080", kHost));
  EXPECT_TRUE(Policy({}).Allows("http://Chat.Example:8080", "CHAT.example:8080"));
}

TEST(OriginPolicy, KnowsDefaultPorts) {
  EXPECT_TRUE(Policy({}).Allows("https://chat.example", "chat.example:443"));
  EXPECT_TRUE(Policy({}).Allows("https://chat.example:443", "chat.example"));
  EXPECT_TRUE(Policy({}).Allows("http://chat.example", "chat.example:80"));
  EXPECT_FALSE(Policy({}).Allows("http://chat.example", "chat.example:443"));
}

TEST(OriginPolicy, RefusesOtherHosts) {
  const OriginPolicy policy = Policy({});
  for (const std::string_view origin :
       {"http://evil.example", "http://chat.example:8081", "http://chat.example",
        "http://chat.example:8080.evil.example", "http://evil.example/chat.example:8080",
        "http://chat.example:8080@evil.example", "http://sub.chat.example:8080"}) {
    EXPECT_FALSE(policy.Allows(origin, kHost)) << origin;
  }
}

TEST(OriginPolicy, RefusesWhatIsNoOrigin) {
  const OriginPolicy policy = Policy({});
  for (const std::string_view origin :
       {"", "chat.example:8080", "://chat.example:8080", "http://", "http://chat.example:8080/",
        "http://chat.example:8080 ", "http://a, http://chat.example:8080"}) {
    EXPECT_FALSE(policy.Allows(origin, kHost)) << origin;
  }
}

TEST(OriginPolicy, RefusesAnOriginWithoutHostHeader) {
  EXPECT_FALSE(Policy({}).Allows("http://chat.example", ""));
}

TEST(OriginPolicy, RefusesNullUnlessListed) {
  EXPECT_FALSE(Policy({}).Allows("null", kHost));
  EXPECT_FALSE(Policy({}, true).Allows("null", kHost));
  EXPECT_FALSE(Policy({"http://other.example"}).Allows("null", "null"));
  EXPECT_TRUE(Policy({"null"}).Allows("null", kHost));
}

TEST(OriginPolicy, AllowsAnyLocalhostOnALoopbackListener) {
  const OriginPolicy policy = Policy({}, true);
  for (const std::string_view origin :
       {"http://localhost:3000", "http://localhost", "https://127.0.0.1:5173", "http://[::1]:3000",
        "http://[::1]", "http://app.localhost:3000", "HTTP://LOCALHOST:3000"}) {
    EXPECT_TRUE(policy.Allows(origin, "127.0.0.1:8080")) << origin;
  }
}

TEST(OriginPolicy, AllowsNoLocalhostElsewhere) {
  EXPECT_FALSE(Policy({}, false).Allows("http://localhost:3000", kHost));
}

TEST(OriginPolicy, IsNotFooledByNamesThatLookLocal) {
  const OriginPolicy policy = Policy({}, true);
  for (const std::string_view origin :
       {"http://localhost.evil.example", "http://evil-localhost", "http://127.0.0.1.evil.example",
        "http://127.0.0.10", "http://[::10]:1", "http://evil.example:3000"}) {
    EXPECT_FALSE(policy.Allows(origin, "127.0.0.1:8080")) << origin;
  }
}

TEST(OriginPolicy, AllowsWhatIsListed) {
  const OriginPolicy policy = Policy({"https://App.Example", "http://dev.example:3000"});

  EXPECT_TRUE(policy.Allows("https://app.example", kHost));
  EXPECT_TRUE(policy.Allows("https://app.example:443", kHost));
  EXPECT_TRUE(policy.Allows("http://dev.example:3000", kHost));
  EXPECT_FALSE(policy.Allows("http://app.example", kHost));
  EXPECT_FALSE(policy.Allows("http://dev.example:3001", kHost));
}

TEST(OriginPolicy, AllowsEveryoneWhereAsked) {
  const OriginPolicy policy = Policy({"*"});

  EXPECT_TRUE(policy.Allows("http://evil.example", kHost));
  EXPECT_TRUE(policy.Allows("null", kHost));
}

TEST(OriginPolicy, RefusesListEntriesThatAreNoOrigins) {
  for (const std::string entry : {"", "app.example", "https://app.example/", "https://",
                                  "*.example", "https://a.example?x"}) {
    const auto policy = OriginPolicy::Create({entry}, false);
    ASSERT_TRUE(absl::IsInvalidArgument(policy.status())) << entry;
    EXPECT_NE(policy.status().message().find("\"" + entry + "\""), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace confab::edge
