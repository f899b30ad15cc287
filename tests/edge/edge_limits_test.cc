#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/edge/edge_fixture.h"

namespace confab::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kPolling[] = "/socket.io/?EIO=4&transport=polling";

// Counts and rates of addresses and users. The clients of this test say where they are: it is the
// proxy.
class EdgeLimits : public EdgeTest {
 protected:
  EdgeLimits() { config_.trusted_proxies = {"127.0.0.0/8"}; }

  static std::string From(const std::string& address) {
    return "X-Forwarded-For: " + address + "\r\n";
  }
  // The status of an upgrade that comes from there; the socket stays in `open_`.
  int Open(const std::string& address, const std::string& more = "") {
    open_.emplace_back(edge_->address());
    return open_.back().Upgrade(kSocketIoTarget, From(address) + more);
  }
  struct Answer {
    int status;
    std::string head;
    std::string body;
  };
  Answer Get(const std::string& target, const std::string& headers) {
    WsClient client(edge_->address());
    client.SendRaw("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
    const int status = client.ReadStatus();
    return {status, client.head(), client.ReadBody()};
  }
  // A socket of that user, CONNECT and `connected` read.
  WsClient Connect(const std::string& user, const std::string& address = "192.0.2.1") {
    WsClient client(edge_->address());
    EXPECT_EQ(client.Upgrade(kSocketIoTarget, From(address)), 101);
    client.SendText("40{\"token\":\"" + TokenFor(user) + "\"}");
    EXPECT_TRUE(client.ReadUntil("42[\"connected\"").has_value());
    return client;
  }
  // Says that this user's token was refused from there.
  void FailToLogIn(const std::string& address) {
    ASSERT_EQ(Open(address), 101);
    open_.back().SendText("40{\"token\":\"rubbish\"}");
    EXPECT_TRUE(open_.back().ReadUntil("TOKEN_INVALID").has_value());
    EXPECT_EQ(open_.back().ReadClose(), 4501);
  }

  // The client answers the close, and sees the end: the server has forgotten the session by then.
  static void End(WsClient& client, int code) {
    EXPECT_EQ(client.ReadClose(), code);
    client.SendRaw(WsClient::MakeFrame(8, "\x03\xe8"));
    client.ReadToEnd();
  }

  std::vector<WsClient> open_;
};

// Of one connection a quarter of a second the first is there at once.
TEST_F(EdgeLimits, LetsWhoComesTooFastWait) {
  config_.io_threads = 1;
  config_.rate_accepts = "4/1";
  StartEdge();
  const auto start = std::chrono::steady_clock::now();

  for (int i = 0; i < 4; ++i) EXPECT_EQ(Open("192.0.2.1"), 101) << i;

  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(500));
  config_.rate_accepts = "4";
  EXPECT_FALSE(config_.Validate().ok());
}

TEST_F(EdgeLimits, RefusesASessionTooManyOfAnAddress) {
  config_.address_sessions_limit = 2;
  StartEdge();
  ASSERT_EQ(Open("192.0.2.1"), 101);
  ASSERT_EQ(Get(kPolling, From("192.0.2.1")).status, 200) << "of either kind";

  EXPECT_EQ(Open("192.0.2.1"), 429);
  EXPECT_THAT(open_.back().head(), HasSubstr("\r\nRetry-After: 5\r\n"));
  EXPECT_EQ(open_.back().ReadBody(),
            R"({"code":4,"message":"2 sessions are open from this address"})");
  const Answer polling = Get(kPolling, From("192.0.2.1"));
  EXPECT_EQ(polling.status, 429);
  EXPECT_THAT(polling.head, HasSubstr("\r\nRetry-After: 5\r\n"));
  EXPECT_EQ(Open("192.0.2.2"), 101);

  EXPECT_THAT(metrics_.Render(),
              HasSubstr("confab_edge_address_refusals_total{limit=\"connections-per-address\"} 2"));
}

TEST_F(EdgeLimits, TellsANativeClientInItsOwnWay) {
  config_.address_sessions_limit = 1;
  StartEdge();
  ASSERT_EQ(Open("192.0.2.1"), 101);
  WsClient native(edge_->address());

  EXPECT_EQ(native.Upgrade("/", "Sec-WebSocket-Protocol: confab.v1.json\r\n" + From("192.0.2.1")),
            429);
  EXPECT_THAT(native.ReadBody(), AllOf(StartsWith(R"({"error":{"reason":"LIMIT_REACHED")"),
                                       HasSubstr(R"("retryable":true,"retryAfterMs":5000)")));
}

TEST_F(EdgeLimits, LetsAnotherInWhenASessionEnds) {
  config_.address_sessions_limit = 1;
  StartEdge();
  ASSERT_EQ(Open("192.0.2.1"), 101);
  open_.back().SendText("1");
  End(open_.back(), 1000);

  EXPECT_EQ(Open("192.0.2.1"), 101);
}

TEST_F(EdgeLimits, CountsAPollingSessionOnceWhenItMovesToAWebSocket) {
  config_.address_sessions_limit = 1;
  StartEdge();
  const Answer opened = Get(kPolling, From("192.0.2.1"));
  const std::string sid = opened.body.substr(9, opened.body.find('"', 9) - 9);
  WsClient socket(edge_->address());

  EXPECT_EQ(socket.Upgrade(kSocketIoTarget + ("&sid=" + sid), From("192.0.2.1")), 101);
  socket.SendText("2probe");
  EXPECT_EQ(socket.Read(), "3probe");
  socket.SendText("5");
  socket.SendText("40{\"token\":\"" + TokenFor("alice") + "\"}");
  EXPECT_TRUE(socket.ReadUntil("42[\"connected\"").has_value());
  EXPECT_EQ(Open("192.0.2.1"), 429);
  socket.SendText("1");
  End(socket, 1000);

  EXPECT_EQ(Open("192.0.2.1"), 101);
}

TEST_F(EdgeLimits, RefusesNewSessionsThatComeTooFast) {
  config_.rate_opens = "1/2";
  StartEdge();
  EXPECT_EQ(Open("192.0.2.1"), 101);
  EXPECT_EQ(Open("192.0.2.1"), 101);

  int status = 101;
  for (int i = 0; i < 50 && status == 101; ++i) status = Open("192.0.2.1");

  EXPECT_EQ(status, 429);
  EXPECT_THAT(open_.back().ReadBody(),
              HasSubstr("more than 1 new sessions a second from this address, or 2 at once"));
  EXPECT_EQ(Open("192.0.2.2"), 101);
}

TEST_F(EdgeLimits, CountsWhoComesThroughTwoProxies) {
  config_.trusted_proxies = {"127.0.0.1", "198.51.100.0/24"};
  config_.address_sessions_limit = 1;
  StartEdge();

  EXPECT_EQ(Open("192.0.2.1, 198.51.100.9"), 101);
  EXPECT_EQ(Open("192.0.2.2", From("198.51.100.9")), 101) << "a header in two lines is one";
  EXPECT_EQ(Open("203.0.113.1, 192.0.2.1"), 429) << "what a client says of itself is not believed";
}

TEST_F(EdgeLimits, BelievesNobodyWithoutTrustedProxiesAndExemptsLoopback) {
  config_.trusted_proxies.clear();
  config_.address_sessions_limit = 1;
  config_.rate_opens = "1/1";
  config_.failed_logins_limit = 1;
  StartEdge();

  for (int i = 0; i < 3; ++i) FailToLogIn("192.0.2.1");
}

TEST_F(EdgeLimits, TakesNoMoreGuessesOfTokens) {
  config_.failed_logins_limit = 2;
  StartEdge();
  ASSERT_EQ(Open("192.0.2.1"), 101);
  FailToLogIn("192.0.2.1");
  FailToLogIn("192.0.2.1");

  EXPECT_EQ(Open("192.0.2.1"), 429);
  EXPECT_THAT(open_.back().ReadBody(),
              HasSubstr("more than 2 refused tokens a minute from this address"));
  // Who has a session already: closed without CONNECT_ERROR, so that it comes back by itself.
  open_.front().SendText("40{\"token\":\"" + TokenFor("alice") + "\"}");
  EXPECT_THAT(open_.front().Read().value_or(""), StartsWith("0{\"sid\""));
  const auto frame = open_.front().ReadFrame();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->opcode, 8) << frame->payload;
  EXPECT_EQ(frame->payload.substr(0, 2), "\x0f\xa8") << "4008";
  EXPECT_EQ(Open("192.0.2.2"), 101);
}

TEST_F(EdgeLimits, CountsGuessesOfEveryKind) {
  config_.failed_logins_limit = 3;
  StartEdge();
  WsClient alice = Connect("alice");
  WsClient native(edge_->address());
  ASSERT_EQ(native.Upgrade("/", "Sec-WebSocket-Protocol: confab.v1.json\r\n" + From("192.0.2.1")),
            101);
  const std::string bearer = From("192.0.2.1") + "Authorization: Bearer ";

  EXPECT_EQ(Get("/v1/rooms", bearer + "rubbish\r\n").status, 401);
  EXPECT_EQ(Get("/v1/rooms", From("192.0.2.1")).status, 401) << "which is no guess";
  EXPECT_THAT(Ask(alice, 1, "refreshToken", "{\"token\":\"rubbish\"}"), HasSubstr("TOKEN_INVALID"));
  EXPECT_EQ(Get("/v1/rooms", bearer + "rubbish\r\n").status, 401);

  const Answer http = Get("/v1/rooms", bearer + TokenFor("alice") + "\r\n");
  EXPECT_EQ(http.status, 429);
  EXPECT_THAT(http.head, HasSubstr("\r\nRetry-After: "));
  EXPECT_THAT(http.body, HasSubstr("RATE_LIMITED"));
  EXPECT_THAT(Ask(alice, 2, "refreshToken", "{\"token\":\"" + TokenFor("alice") + "\"}"),
              HasSubstr("RATE_LIMITED"));
  native.SendText("{\"connect\":{\"token\":\"" + TokenFor("alice") + "\"}}");
  EXPECT_THAT(native.Read().value_or(""), HasSubstr("REASON_RATE_LIMITED"));
  EXPECT_EQ(native.ReadClose(), 4008);
  EXPECT_THAT(Ask(alice, 3, "nothing", "{}"), HasSubstr("UNKNOWN_COMMAND")) << "who is in stays";
}

TEST_F(EdgeLimits, ReplacesTheOldestConnectionOfAUser) {
  config_.user_connections_limit = 2;
  StartEdge();
  WsClient first = Connect("alice");
  WsClient second = Connect("alice");
  WsClient other = Connect("bob");

  WsClient third = Connect("alice");

  EXPECT_EQ(first.Read(), "42[\"server:closing\",{\"code\":4504,\"reason\":\"REPLACED\"}]");
  EXPECT_EQ(first.Read(), "41") << "it is not to come back by itself, or they would take turns";
  EXPECT_EQ(first.ReadClose(), 4504);
  for (WsClient* client : {&second, &third, &other}) {
    EXPECT_THAT(Ask(*client, 1, "nothing", "{}"), HasSubstr("UNKNOWN_COMMAND"));
  }
}

TEST_F(EdgeLimits, ReplacesOneThatWaitsForControl) {
  config_.user_connections_limit = 1;
  StartEdge(/*is_attached=*/false);
  ASSERT_EQ(Open("192.0.2.1"), 101);
  open_.front().SendText("40{\"token\":\"" + TokenFor("alice") + "\"}");
  EXPECT_TRUE(open_.front().ReadUntil("\"sid\"").has_value());
  EXPECT_EQ(open_.front().Read(std::chrono::milliseconds(100)), std::nullopt) << "it waits";

  ASSERT_EQ(Open("192.0.2.1"), 101);
  open_.back().SendText("40{\"token\":\"" + TokenFor("alice") + "\"}");

  EXPECT_THAT(open_.front().Read().value_or(""),
              AllOf(StartsWith("44{\"message\":\"too many connections of this user\""),
                    HasSubstr("LIMIT_REACHED")));
  EXPECT_EQ(open_.front().ReadClose(), 4504);
}

TEST_F(EdgeLimits, ReplacesANativeConnectionToo) {
  config_.user_connections_limit = 1;
  StartEdge();
  WsClient native(edge_->address());
  ASSERT_EQ(native.Upgrade("/", "Sec-WebSocket-Protocol: confab.v1.json\r\n"), 101);
  native.SendText("{\"connect\":{\"token\":\"" + TokenFor("alice") + "\"}}");
  ASSERT_TRUE(native.ReadUntil("connected").has_value());

  WsClient second = Connect("alice");

  EXPECT_THAT(native.Read().value_or(""),
              AllOf(StartsWith("{\"closing\":{\"code\":4504"), HasSubstr("LIMIT_REACHED")));
  EXPECT_EQ(native.ReadClose(), 4504);
}

TEST_F(EdgeLimits, CountsTheMessagesOfAUsersConnectionsTogether) {
  config_.rate_sends = "1/2";
  StartEdge();
  control_->AddMember("r", "alice");
  control_->AddMember("r", "bob");
  WsClient first = Connect("alice");
  WsClient second = Connect("alice");
  WsClient bob = Connect("bob");
  const std::string message = R"({"roomId":"r","content":"hi"})";

  // On a slow machine a message may become free between the two.
  std::string answer;
  for (int round = 0; round < 20 && answer.find("RATE_LIMITED") == std::string::npos; ++round) {
    answer.clear();
    for (int i = 0; i < 100 && answer.find("RATE_LIMITED") == std::string::npos; ++i) {
      answer = Ask(first, round, "sendMessage", message);
    }
    answer = Ask(second, round, "sendMessage", message);
  }

  EXPECT_THAT(answer, AllOf(HasSubstr("RATE_LIMITED"),
                            HasSubstr("more than 1 messages of a user a second, or 2 at once"),
                            HasSubstr("retryAfterMs")));
  EXPECT_THAT(Ask(bob, 1, "sendMessage", message), HasSubstr("\"ok\":true"));
}

TEST_F(EdgeLimits, AnswersASessionTooManyForTheEdge) {
  config_.io_threads = 1;
  config_.connections_limit = 1;
  StartEdge();
  int status = 101;
  for (int i = 0; i < 4 && status == 101; ++i) status = Open("192.0.2.1");

  EXPECT_EQ(status, 503);
  EXPECT_THAT(open_.back().head(), HasSubstr("\r\nRetry-After: 5\r\n"));
  EXPECT_THAT(open_.back().ReadBody(), HasSubstr("as many connections as it may have"));
  EXPECT_EQ(Get(kPolling, From("192.0.2.1")).status, 503);
  EXPECT_EQ(Get("/v1/openapi.json", "").status, 200);
}

TEST_F(EdgeLimits, MayAllBeOff) {
  config_.rooms_limit = 0;
  config_.user_connections_limit = 0;
  config_.address_sessions_limit = 0;
  config_.failed_logins_limit = 0;
  config_.rate_opens = config_.rate_sends = config_.rate_frames = config_.rate_joins = "off";
  StartEdge();
  std::vector<WsClient> clients;
  for (int i = 0; i < 15; ++i) clients.push_back(Connect("alice"));
  for (int i = 0; i < 12; ++i) FailToLogIn("192.0.2.1");

  for (int i = 0; i < 130; ++i) {
    const std::string room = std::to_string(i);
    control_->AddMember(room, "alice");
    EXPECT_THAT(Ask(clients[0], i, "joinRoom", "{\"roomId\":\"" + room + "\"}"),
                HasSubstr("\"ok\":true"));
  }
  EXPECT_THAT(Ask(clients[0], 200, "nothing", "{}"), HasSubstr("UNKNOWN_COMMAND"));
}

TEST_F(EdgeLimits, AreRenewedForWhoIsConnectedToo) {
  config_.user_connections_limit = 3;
  StartEdge();
  WsClient first = Connect("alice");
  WsClient second = Connect("alice");
  edge::EdgeConfig fresh = config_;
  fresh.user_connections_limit = 2;
  fresh.address_sessions_limit = 3;
  fresh.rate_frames = "1/1";

  ASSERT_TRUE(edge_->Reload(fresh).ok());

  std::string answer;
  for (int i = 0; i < 100 && answer.find("RATE_LIMITED") == std::string::npos; ++i) {
    answer = Ask(second, i, "nothing", "{}");
  }
  EXPECT_THAT(answer, HasSubstr("more than 1 commands a second, or 1 at once"));
  WsClient third = Connect("alice");
  EXPECT_EQ(first.ReadClose(), 4504);
  int status = 101;
  for (int i = 0; i < 4 && status == 101; ++i) status = Open("192.0.2.1");
  EXPECT_EQ(status, 429);
}

TEST_F(EdgeLimits, StayAsTheyAreWhenAReloadIsFaulty) {
  config_.address_sessions_limit = 1;
  StartEdge();
  ASSERT_EQ(Open("192.0.2.1"), 101);
  edge::EdgeConfig fresh = config_;
  fresh.address_sessions_limit = 100;
  fresh.rate_joins = "many";

  EXPECT_THAT(std::string(edge_->Reload(fresh).message()), HasSubstr("--rate-joins"));
  EXPECT_EQ(edge_->Reload(absl::InvalidArgumentError("x.toml:3: no")).message(), "x.toml:3: no");

  EXPECT_EQ(Open("192.0.2.1"), 429);
  EXPECT_THAT(metrics_.Render(), HasSubstr("confab_edge_reloads_total{result=\"failed\"} 2"));
}

}  // namespace
}  // namespace confab::tests
