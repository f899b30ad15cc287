#include <string>

#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// Tokens that end while their connection lives. One that ended a moment ago is still accepted, so
// the end of its grace need not be waited for.
class EdgeToken : public EdgeTest {
 protected:
  EdgeToken() {
    config_.token_lead = absl::ZeroDuration();
    config_.token_grace = absl::Seconds(4);
  }

  static WsClient Open(const std::string& address) {
    WsClient client(address);
    EXPECT_EQ(client.Upgrade(kSocketIoTarget), 101);
    EXPECT_TRUE(client.ReadUntil("\"sid\"").has_value());
    return client;
  }
  WsClient Connect(const std::string& user, int seconds_left) {
    WsClient client = Open(edge_->address());
    client.SendText("40{\"token\":\"" + TokenFor(user, seconds_left) + "\"}");
    EXPECT_TRUE(client.ReadUntil("42[\"connected\"").has_value());
    return client;
  }
  WsClient ConnectNative(const std::string& user, int seconds_left) {
    WsClient client(edge_->address());
    EXPECT_EQ(client.Upgrade("/", "Sec-WebSocket-Protocol: confab.v1.json\r\n"), 101);
    client.SendText("{\"connect\":{\"token\":\"" + TokenFor(user, seconds_left) + "\"}}");
    EXPECT_TRUE(client.ReadUntil("\"connected\"").has_value());
    return client;
  }
  static std::string Refresh(WsClient& client, const std::string& token) {
    return Ask(client, 7, "refreshToken", "{\"token\":\"" + token + "\"}");
  }
  static bool IsAlive(WsClient& client) {
    return Ask(client, 8, "nothing", "{}").find("UNKNOWN_COMMAND") != std::string::npos;
  }
};

TEST_F(EdgeToken, IsAnnouncedToExpire) {
  config_.token_lead = absl::Minutes(2);
  StartEdge();

  WsClient client = Connect("alice", 100);

  EXPECT_THAT(client.Read().value_or(""), StartsWith("42[\"token:expiring\",{\"expiresAt\":\"20"));
}

TEST_F(EdgeToken, ClosesItsConnectionAfterTheGrace) {
  StartEdge();
  WsClient client = Connect("alice", -3);

  EXPECT_EQ(client.Read(), "42[\"server:closing\",{\"code\":4001,\"reason\":\"TOKEN_EXPIRED\"}]");
  EXPECT_EQ(client.ReadClose(), 4001) << "and no DISCONNECT, so that the client comes back";
  EXPECT_THAT(metrics_.Render(), HasSubstr("confab_edge_closes_total{reason=\"TOKEN_EXPIRED\"} 1"));
}

TEST_F(EdgeToken, IsRenewed) {
  StartEdge();
  WsClient renewed = Connect("alice", -3);
  WsClient other = Connect("bob", -3);

  EXPECT_THAT(Refresh(renewed, TokenFor("alice")),
              StartsWith("437[{\"ok\":true,\"expiresAt\":\"20"));

  EXPECT_EQ(other.ReadClose(), 4001);
  EXPECT_TRUE(IsAlive(renewed));
  EXPECT_EQ(control_->CountSent(v1::EdgeItem::kCommand), 0u) << "no token travels";
}

TEST_F(EdgeToken, IsNotRenewedByAnotherUsers) {
  StartEdge();
  WsClient client = Connect("alice", -3);

  EXPECT_THAT(Refresh(client, TokenFor("bob")),
              AllOf(HasSubstr("\"ok\":false"), HasSubstr("TOKEN_INVALID")));
  EXPECT_THAT(Refresh(client, "rubbish"), HasSubstr("TOKEN_INVALID"));
  EXPECT_TRUE(IsAlive(client));

  EXPECT_EQ(client.ReadClose(), 4001);
}

TEST_F(EdgeToken, IsNotRenewedByOneForAnotherRole) {
  StartEdge();
  WsClient client = Open(edge_->address());
  client.SendText("40{\"token\":\"" + TokenFor("alice", 3'600, {{"role", "admin"}}) + "\"}");
  ASSERT_TRUE(client.ReadUntil("42[\"connected\"").has_value());

  EXPECT_THAT(Refresh(client, TokenFor("alice")),
              AllOf(HasSubstr("TOKEN_INVALID"), HasSubstr("role")));
  EXPECT_THAT(Refresh(client, TokenFor("alice", 3'600, {{"role", "admin"}})),
              HasSubstr("\"ok\":true"));
}

TEST_F(EdgeToken, NamesItsUserByTheConfiguredClaims) {
  config_.user_id_claims = {"account", "uid"};
  config_.name_claims = {"nick"};
  StartEdge();
  WsClient client = Open(edge_->address());

  client.SendText("40{\"token\":\"" + TokenFor("alice", 3'600, {{"uid", 77}, {"nick", "Al"}}) +
                  "\"}");

  EXPECT_THAT(client.ReadUntil("42[\"connected\"").value_or(""),
              AllOf(HasSubstr("77"), HasSubstr("Al"), testing::Not(HasSubstr("alice"))));
}

TEST_F(EdgeToken, ClosesTheWholeSocketWhenOneNamespacesEnds) {
  config_.namespaces = {"/", "/game"};
  StartEdge();
  WsClient client = Connect("alice", 3'600);

  client.SendText("40/game,{\"token\":\"" + TokenFor("alice", -3) + "\"}");

  EXPECT_TRUE(client.ReadUntil("42/game,[\"server:closing\",{\"code\":4001").has_value());
  EXPECT_EQ(client.ReadClose(), 4001);
}

TEST_F(EdgeToken, IsToldAndRenewedNatively) {
  config_.token_lead = absl::Minutes(2);
  StartEdge();
  WsClient client = ConnectNative("alice", 100);
  EXPECT_THAT(client.Read().value_or(""), StartsWith("{\"tokenExpiring\":{\"expiresAt\":\"20"));

  client.SendText("{\"request\":\"5\",\"refreshToken\":{\"token\":\"" + TokenFor("alice") + "\"}}");
  EXPECT_THAT(client.Read().value_or(""),
              AllOf(HasSubstr("\"request\":\"5\""), HasSubstr("\"refreshToken\":{\"expiresAt\"")));
  client.SendText("{\"request\":\"6\",\"refreshToken\":{\"token\":\"" + TokenFor("bob") + "\"}}");
  EXPECT_THAT(client.Read().value_or(""), HasSubstr("REASON_TOKEN_INVALID"));
}

TEST_F(EdgeToken, ClosesANativeConnectionAfterTheGrace) {
  StartEdge();
  WsClient client = ConnectNative("alice", -3);

  EXPECT_THAT(client.Read().value_or(""),
              AllOf(StartsWith("{\"closing\":{\"code\":4001"), HasSubstr("REASON_TOKEN_EXPIRED"),
                    HasSubstr("\"retryable\":true")));
  EXPECT_EQ(client.ReadClose(), 4001);
}

}  // namespace
}  // namespace confab::tests
