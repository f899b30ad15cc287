#include "edge/transport/http_route.h"

#include <gtest/gtest.h>

namespace confab::edge {
namespace {

using Kind = HttpRoute::Kind;
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

HttpRoute Decide(const HttpRequestView& request, SidState state = SidState::kUnknown) {
  return RouteRequest(request, ParseHttpTarget(request.target), HttpRoutes{},
                      *OriginPolicy::Create({}, false), state);
}

// The status and body of the refusal, or "upgrade", or what else it is for.
std::string AnswerTo(const HttpRequestView& request, SidState state = SidState::kUnknown) {
  const HttpRoute route = Decide(request, state);
  switch (route.kind) {
    case Kind::kAnswer:
    case Kind::kService:
      return std::to_string(route.answer.status) + " " + route.answer.body;
    case Kind::kWebSocket:
      return "upgrade";
    case Kind::kProbe:
      return "probe";
    case Kind::kOpenPolling:
      return "open";
    case Kind::kPoll:
      return "poll";
    case Kind::kPost:
      return "post";
  }
  return "";
}

HttpRequestView Plain(std::string_view method, std::string_view target) {
  HttpRequestView request;
  request.method = method;
  request.target = target;
  request.host = "chat.example";
  return request;
}

TEST(HttpRoute, UpgradesSocketIo) {
  const HttpRoute decision = Decide(Upgrade(kSocketIo));

  EXPECT_EQ(decision.kind, Kind::kWebSocket);
  EXPECT_EQ(decision.open.protocol, Protocol::kSocketIo);
  EXPECT_EQ(decision.subprotocol, "");
}

TEST(HttpRoute, KeepsWhatTheQuerySaysOfTheClient) {
  const HttpRoute decision =
      Decide(Upgrade("/socket.io/?EIO=4&transport=websocket&dialect=rooms&deviceId=my%20phone"));

  EXPECT_EQ(decision.open.dialect, "rooms");
  EXPECT_EQ(decision.open.device_id, "my phone");
}

TEST(HttpRoute, ComparesThePrefixOfThePath) {
  EXPECT_EQ(AnswerTo(Upgrade("/socket.io/anything?EIO=4&transport=websocket")), "upgrade");
  EXPECT_EQ(AnswerTo(Upgrade("/socket.io?EIO=4&transport=websocket")).substr(0, 3), "404");
}

TEST(HttpRoute, UpgradesTheNativeProtocolsOnAnyOtherPath) {
  HttpRequestView request = Upgrade("/native");
  request.subprotocols = "graphql-ws, confab.v1.proto,confab.v1.json";

  const HttpRoute decision = Decide(request);

  EXPECT_EQ(decision.kind, Kind::kWebSocket);
  EXPECT_EQ(decision.open.protocol, Protocol::kNativeBinary) << "the client's first choice";
  EXPECT_EQ(decision.subprotocol, "confab.v1.proto");
}

TEST(HttpRoute, TellsTheTwoNativeFormsApart) {
  HttpRequestView request = Upgrade("/v1/ws");
  request.subprotocols = "confab.v1.json";

  EXPECT_EQ(Decide(request).open.protocol, Protocol::kNativeJson);
}

TEST(HttpRoute, RefusesInTheReferencesWords) {
  HttpRequestView request = Upgrade("/socket.io/?EIO=4&transport=flashsocket");
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

TEST(HttpRoute, SaysWhatIsWrongWithTheTransportFirst) {
  EXPECT_EQ(AnswerTo(Upgrade("/socket.io/?EIO=3&transport=x&sid=1")),
            R"(400 {"code":0,"message":"Transport unknown"})");
}

TEST(HttpRoute, WantsAWholeWebSocketHandshake) {
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

TEST(HttpRoute, AsksTheOriginOfNativeClientsToo) {
  HttpRequestView request = Upgrade("/native");
  request.subprotocols = "confab.v1.json";
  request.origin = "https://evil.example";

  EXPECT_EQ(AnswerTo(request).substr(0, 3), "403");
}

TEST(HttpRoute, OpensAPollingSession) {
  const std::string target = "/socket.io/?EIO=4&transport=polling&t=abc&b64=1";
  EXPECT_EQ(AnswerTo(Plain("GET", target)), "open");
  EXPECT_TRUE(Decide(Plain("GET", target)).open.is_polling);
  EXPECT_TRUE(Decide(Plain("GET", target)).open.wants_base64);

  for (const char* method : {"POST", "PUT", "OPTIONS", "DELETE", "HEAD"}) {
    EXPECT_EQ(AnswerTo(Plain(method, target)), R"(400 {"code":2,"message":"Bad handshake method"})")
        << method;
  }
  EXPECT_EQ(AnswerTo(Plain("GET", "/socket.io/?EIO=3&transport=polling")),
            R"(400 {"code":5,"message":"Unsupported protocol version"})");
  EXPECT_EQ(AnswerTo(Upgrade(target)), R"(400 {"code":3,"message":"Bad request"})");
}

TEST(HttpRoute, BindsRequestsToTheCarrierOfTheirSession) {
  const std::string polling = "/socket.io/?EIO=4&transport=polling&sid=x";
  const std::string websocket = "/socket.io/?EIO=4&transport=websocket&sid=x";
  const std::string unknown = R"(400 {"code":1,"message":"Session ID unknown"})";
  const std::string bad = R"(400 {"code":3,"message":"Bad request"})";

  EXPECT_EQ(AnswerTo(Plain("GET", polling), SidState::kUnknown), unknown);
  EXPECT_EQ(AnswerTo(Plain("PUT", polling), SidState::kUnknown), unknown);
  EXPECT_EQ(AnswerTo(Upgrade(websocket), SidState::kUnknown), unknown);
  EXPECT_EQ(AnswerTo(Plain("GET", polling), SidState::kPolling), "poll");
  EXPECT_EQ(AnswerTo(Plain("POST", polling), SidState::kPolling), "post");
  EXPECT_EQ(AnswerTo(Plain("PUT", polling), SidState::kPolling), bad);
  EXPECT_EQ(AnswerTo(Upgrade(websocket), SidState::kPolling), "probe");
  EXPECT_EQ(AnswerTo(Plain("GET", websocket), SidState::kPolling), bad);
  EXPECT_EQ(AnswerTo(Plain("GET", polling), SidState::kWebSocket), bad);
  EXPECT_EQ(AnswerTo(Plain("POST", polling), SidState::kWebSocket), bad);
  EXPECT_EQ(AnswerTo(Upgrade(websocket), SidState::kWebSocket), "probe");
}

TEST(HttpRoute, RefusesBinaryPosts) {
  HttpRequestView request = Plain("POST", "/socket.io/?EIO=4&transport=polling&sid=x");
  request.content_type = "application/octet-stream";

  EXPECT_EQ(AnswerTo(request, SidState::kPolling), R"(400 {"code":3,"message":"Bad request"})");
}

TEST(HttpRoute, AnswersPreflightsBeforeEverythingElse) {
  HttpRequestView request = Plain("OPTIONS", "/socket.io/?EIO=4&transport=polling&sid=gone");
  request.origin = "http://chat.example";
  request.requested_method = "POST";
  request.requested_headers = "x-mine,content-type";

  const HttpRoute route = Decide(request);

  EXPECT_EQ(route.answer.status, 204);
  EXPECT_TRUE(route.answer.allows_origin);
  const std::pair<std::string, std::string> reflected{"Access-Control-Allow-Headers",
                                                      "x-mine,content-type"};
  EXPECT_EQ(route.answer.headers.at(1), reflected);
  request.origin = "http://evil.example";
  EXPECT_EQ(Decide(request).answer.status, 403);
}

TEST(HttpRoute, TakesTheTokenOfTheHeaderBeforeThatOfTheQuery) {
  HttpRequestView request = Upgrade("/socket.io/?EIO=4&transport=websocket&token=from%2Bquery");
  EXPECT_EQ(Decide(request).open.token, "from+query");

  request.authorization = "Bearer header";
  EXPECT_EQ(Decide(request).open.token, "Bearer header");
}

TEST(HttpRoute, AnswersTheRootInPlainText) {
  HttpRequestView request;
  request.method = "GET";
  request.target = "/";

  const HttpRoute decision = Decide(request);

  EXPECT_EQ(decision.kind, Kind::kAnswer);
  EXPECT_EQ(decision.answer.status, 200);
  EXPECT_EQ(decision.answer.content_type, "text/plain; charset=UTF-8");
}

TEST(HttpRoute, KnowsNothingElse) {
  HttpRequestView request;
  request.method = "GET";
  request.target = "/favicon.ico";
  EXPECT_EQ(AnswerTo(request).substr(0, 3), "404");

  request.method = "POST";
  request.target = "/";
  EXPECT_EQ(AnswerTo(request).substr(0, 3), "404");
}

TEST(HttpRoute, LetsAllowedPagesReadItsRefusals) {
  HttpRequestView request = Upgrade("/socket.io/?EIO=3&transport=polling");
  EXPECT_FALSE(Decide(request).answer.allows_origin) << "no page asked";

  request.origin = "http://chat.example";
  EXPECT_TRUE(Decide(request).answer.allows_origin);

  request.origin = "http://evil.example";
  EXPECT_FALSE(Decide(request).answer.allows_origin);
}

}  // namespace
}  // namespace confab::edge
