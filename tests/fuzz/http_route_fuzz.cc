// Requests by their heads: a WebSocket, long-polling, the HTTP API, or a refusal.
// Covers: edge/transport/http_route.cc edge/transport/engineio_answers.cc edge/transport/http_answer.cc
//   edge/auth/origin_policy.cc
#include <string>

#include "edge/transport/http_route.h"
#include "tests/fuzz/http_answers.h"
#include "tests/fuzz/http_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  namespace edge = confab::edge;
  using confab::fuzz::Require;
  using Kind = edge::HttpRoute::Kind;
  static const edge::OriginPolicy origins =
      *edge::OriginPolicy::Create({"https://a.example"}, true);
  static const edge::HttpRoutes routes;
  if (size == 0) return 0;
  const auto state = static_cast<edge::SidState>(bytes[0] % 3);
  std::string_view rest = confab::fuzz::View(bytes + 1, size - 1);
  const edge::HttpRequestView request = confab::fuzz::TakeRequest(rest);
  const edge::HttpTarget target = edge::ParseHttpTarget(request.target);
  const edge::HttpRoute route = edge::RouteRequest(request, target, routes, origins, state);
  if (route.kind == Kind::kAnswer || route.kind == Kind::kService) {
    confab::fuzz::CheckAnswer(route.answer, request);
    return 0;
  }
  Require(origins.Allows(request.origin, request.host),
          "a strange page gets nothing but an answer");
  switch (route.kind) {
    case Kind::kWebSocket:
    case Kind::kProbe:
      Require(request.method == "GET" && request.is_http11 && request.is_upgrade &&
                  request.websocket_version == "13" && request.websocket_key.size() == 24,
              "a WebSocket is asked for as RFC 6455 has it");
      Require(route.kind == Kind::kWebSocket || state != edge::SidState::kUnknown,
              "a session that is not there is not probed");
      break;
    case Kind::kOpenPolling:
      Require(request.method == "GET" && target.Get("EIO") == "4", "a session is opened by a GET");
      break;
    case Kind::kPoll:
    case Kind::kPost:
      Require(state == edge::SidState::kPolling, "only a polling session is polled");
      break;
    case Kind::kAnswer:
    case Kind::kService:
      break;
  }
  return 0;
}
