#include "edge/transport/upgrade_policy.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using Protocol = OpenRequest::Protocol;

constexpr std::string_view kSocketIo = "/socket.io/?EIO=4&transport=websocket";

HttpRequestView Upgrade(std::string_view target) {
  HttpRequestView request;
  request.method = "GET";
  request.target = target;
  request.host = "chat.example";
  request.websocket_key = "dGhlIHNhbXBsZSBub25jZQ==";
  request.websocket_version = "13";
  request.is_upgrade = true;
  return request;
}

UpgradeDecision Decide(const HttpRequestView& request) {
  return DecideUpgrade(request, *OriginPolicy::Create({}, false));
}

// The status and body of the refusal, or "upgrade".
std::string AnswerTo(const HttpRequestView& request) {
  const UpgradeDecision decision = Decide(request);
  if (!decision.answer) return "upgrade";
  return std::to_string(decision.answer->status) + " " + decision.answer->body;
}

TEST(UpgradePolicy, UpgradesSocketIo) {
  const UpgradeDecision decision = Decide(Upgrade(kSocketIo));

  EXPECT_FALSE(decision.answer);
  EXPECT_EQ(decision.open.protocol, Protocol::kSocketIo);
  EXPECT_EQ(decision.subprotocol, "");
}

TEST(UpgradePolicy, KeepsWhatTheQuerySaysOfTheClient) {
  const UpgradeDecision decision =
      Decide(Upgrade("/socket.io/?EIO=4&transport=websocket&dialect=rooms&deviceId=my%20phone"));

  EXPECT_EQ(decision.open.dialect, "rooms");
  EXPECT_EQ(decision.open.device_id, "my phone");
}

TEST(UpgradePolicy, ComparesThePrefixOfThePath) {
  EXPECT_EQ(AnswerTo(Upgrade("/socket.io/anything?EIO=4&transport=websocket")), "upgrade");
  EXPECT_EQ(AnswerTo(Upgrade("/socket.io?EIO=4&transport=websocket")).substr(0, 3), "404");
}

TEST(UpgradePolicy, UpgradesTheNativeProtocolsOnAnyOtherPath) {
  HttpRequestView request = Upgrade("/native");
  request.subprotocols = "graphql-ws, confab.v1.proto,confab.v1.json";

  const UpgradeDecision decision = Decide(request);

  EXPECT_FALSE(decision.answer);
  EXPECT_EQ(decision.open.protocol, Protocol::kNativeBinary) << "the client's first choice";
  EXPECT_EQ(decision.subprotocol, "confab.v1.proto");
}

TEST(UpgradePolicy, TellsTheTwoNativeFormsApart) {
  HttpRequestView request = Upgrade("/v1/ws");
  request.subprotocols = "confab.v1.json";

  EXPECT_EQ(Decide(request).open.protocol, Protocol::kNativeJson);
}

TEST(UpgradePolicy, RefusesInTheReferencesWords) {
  HttpRequestView request = Upgrade("/socket.io/?EIO=4&transport=polling");
  EXPECT_EQ(AnswerTo(request), R"(400 {"code":0,"message":"Transport unknown"})");

  request = Upgrade("/socket.io/?EIO=4");
  EXPECT_EQ(AnswerTo(request), R"(400 {"code":0,"message":"Transport unknown"})");

  request = Upgrade("/socket.io/?EIO=4&transport=websocket&sid=abc");
  EXPECT_EQ(AnswerTo(request), R"(400 {"code":1,"message":"Session ID unknown"})");

  request = Upgrade(kSocketIo);
  request.method = "POST";
  EXPECT_EQ(AnswerTo(request), R"(400 {"code":2,"message":"Bad handshake method"})");

  request = Upgrade(kSocketIo);
  request.is_upgrade = false;
  EXPECT_EQ(AnswerTo(request), R"(400 {"code":3,"message":"Bad request"})");

  request = Upgrade(kSocketIo);
  request.origin = "https://evil.example";
  EXPECT_EQ(AnswerTo(request), R"(403 {"code":4,"message":"Forbidden"})");

  for (const std::string_view version : {"3", "5", "abc", "", "44"}) {
    const std::string target = "/socket.io/?transport=websocket&EIO=" + std::string(version);
    EXPECT_EQ(AnswerTo(Upgrade(target)),
              R"(400 {"code":5,"message":"Unsupported protocol version"})")
        << version;
  }
  EXPECT_EQ(AnswerTo(Upgrade("/socket.io/?transport=websocket")),
            R"(400 {"code":5,"message":"Unsupported protocol version"})");
}

TEST(UpgradePolicy, SaysWhatIsWrongWithTheTransportFirst) {
  EXPECT_EQ(AnswerTo(Upgrade("/socket.io/?EIO=3&transport=x&sid=1")),
            R"(400 {"code":0,"message":"Transport unknown"})");
}

TEST(UpgradePolicy, WantsAWholeWebSocketHandshake) {
  HttpRequestView request = Upgrade(kSocketIo);
  request.is_http11 = false;
  EXPECT_NE(AnswerTo(request), "upgrade");

  request = Upgrade(kSocketIo);
  request.websocket_version = "12";
  EXPECT_NE(AnswerTo(request), "upgrade");

  for (const std::string_view key : {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
                                     "dGhlIHNhbXBsZSBub25jZ!==", "dGhlIHNhbXBsZSBub25jZQAA"}) {
    request = Upgrade(kSocketIo);
    request.websocket_key = key;
    EXPECT_NE(AnswerTo(request), "upgrade") << key;
  }
}

TEST(UpgradePolicy, AsksTheOriginOfNativeClientsToo) {
  HttpRequestView request = Upgrade("/native");
  request.subprotocols = "confab.v1.json";
  request.origin = "https://evil.example";

  EXPECT_EQ(AnswerTo(request).substr(0, 3), "403");
}

TEST(UpgradePolicy, TakesTheTokenOfTheHeaderBeforeThatOfTheQuery) {
  HttpRequestView request = Upgrade("/socket.io/?EIO=4&transport=websocket&token=from%2Bquery");
  EXPECT_EQ(Decide(request).open.token, "from+query");

  request.authorization = "Bearer header";
  EXPECT_EQ(Decide(request).open.token, "Bearer header");
}

TEST(UpgradePolicy, AnswersTheRootInPlainText) {
  HttpRequestView request;
  request.method = "GET";
  request.target = "/";

  const UpgradeDecision decision = Decide(request);

  ASSERT_TRUE(decision.answer);
  EXPECT_EQ(decision.answer->status, 200);
  EXPECT_EQ(decision.answer->content_type, "text/plain; charset=UTF-8");
}

TEST(UpgradePolicy, KnowsNothingElse) {
  HttpRequestView request;
  request.method = "GET";
  request.target = "/favicon.ico";
  EXPECT_EQ(AnswerTo(request).substr(0, 3), "404");

  request.method = "POST";
  request.target = "/";
  EXPECT_EQ(AnswerTo(request).substr(0, 3), "404");
}

TEST(UpgradePolicy, LetsAllowedPagesReadItsRefusals) {
  HttpRequestView request = Upgrade("/socket.io/?EIO=4&transport=polling");
  EXPECT_FALSE(Decide(request).answer->allows_origin) << "no page asked";

  request.origin = "http://chat.example";
  EXPECT_TRUE(Decide(request).answer->allows_origin);

  request.origin = "http://evil.example";
  EXPECT_FALSE(Decide(request).answer->allows_origin);
}

}  // namespace
}  // namespace confab::edge
