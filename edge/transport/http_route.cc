#include "edge/transport/http_route.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "edge/transport/engineio_answers.h"

namespace confab::edge {

namespace {

HttpAnswer Refuse(int status, std::string_view reason, std::string_view message) {
  return {.status = status,
          .body = fmt::format(R"({{"error":{{"reason":"{}","message":"{}","retryable":false}}}})",
                              reason, message)};
}

HttpRoute AnswerWith(EngineIoRefusal refusal) { return {.answer = RefuseEngineIo(refusal)}; }

bool IsBase64Digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

// RFC 6455: 16 bytes in base64. Beast takes any.
bool IsWebSocketKey(std::string_view key) {
  return key.size() == 24 && key.substr(22) == "==" &&
         std::all_of(key.begin(), key.begin() + 22, IsBase64Digit);
}

bool IsWebSocketUpgrade(const HttpRequestView& request) {
  return request.is_upgrade && request.is_http11 && request.method == "GET" &&
         request.websocket_version == "13" && IsWebSocketKey(request.websocket_key);
}

// The first of the offered sub-protocols that we speak; "" if none.
std::string_view ChooseSubprotocol(std::string_view offered) {
  while (!offered.empty()) {
    std::string_view word = offered.substr(0, offered.find(','));
    offered.remove_prefix(std::min(word.size() + 1, offered.size()));
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    if (NativeFormOf(word)) return word;
  }
  return {};
}

// A session of its own: the order of the reference, what is wrong with the transport first.
HttpRoute RouteHandshake(const HttpRequestView& request, const HttpTarget& target,
                         bool is_websocket, bool is_refused_by_origin) {
  if (request.method != "GET") return AnswerWith(EngineIoRefusal::kBadMethod);
  if (is_websocket ? !IsWebSocketUpgrade(request) : request.is_upgrade) {
    return AnswerWith(EngineIoRefusal::kBadRequest);
  }
  if (is_refused_by_origin) return AnswerWith(EngineIoRefusal::kForbidden);
  if (target.Get("EIO") != "4") return AnswerWith(EngineIoRefusal::kUnsupportedVersion);
  HttpRoute route{.kind =
                      is_websocket ? HttpRoute::Kind::kWebSocket : HttpRoute::Kind::kOpenPolling};
  route.open.is_polling = !is_websocket;
  route.open.wants_base64 = !target.Get("b64").empty();
  return route;
}

HttpRoute RouteToSession(const HttpRequestView& request, bool is_websocket,
                         bool is_refused_by_origin, SidState state) {
  if (state == SidState::kUnknown) return AnswerWith(EngineIoRefusal::kSessionUnknown);
  const bool is_post = request.method == "POST";
  const bool is_fitting =
      is_websocket ? IsWebSocketUpgrade(request)
                   : state == SidState::kPolling && !request.is_upgrade &&
                         (is_post || request.method == "GET") &&
                         !(is_post && request.content_type.starts_with("application/octet-stream"));
  if (!is_fitting) return AnswerWith(EngineIoRefusal::kBadRequest);
  if (is_refused_by_origin) return AnswerWith(EngineIoRefusal::kForbidden);
  if (is_websocket) return {.kind = HttpRoute::Kind::kProbe};
  return {.kind = is_post ? HttpRoute::Kind::kPost : HttpRoute::Kind::kPoll};
}

HttpRoute RouteEngineIo(const HttpRequestView& request, const HttpTarget& target,
                        bool is_refused_by_origin, SidState state) {
  // Before everything else: a preflight repeats the query of the request it is for.
  if (request.method == "OPTIONS" && request.origin && !request.requested_method.empty()) {
    if (is_refused_by_origin) return AnswerWith(EngineIoRefusal::kForbidden);
    return {.answer = AnswerPreflight(request.requested_headers)};
  }
  const std::string_view transport = target.Get("transport");
  const bool is_websocket = transport == "websocket";
  if (!is_websocket && transport != "polling") {
    return AnswerWith(EngineIoRefusal::kTransportUnknown);
  }
  const std::string_view sid = target.Get("sid");
  if (sid.empty()) return RouteHandshake(request, target, is_websocket, is_refused_by_origin);
  HttpRoute route = RouteToSession(request, is_websocket, is_refused_by_origin, state);
  route.sid = sid;
  return route;
}

std::optional<HttpAnswer> CheckUpgrade(const HttpRequestView& request, bool is_refused_by_origin) {
  if (!IsWebSocketUpgrade(request)) return Refuse(400, "BAD_REQUEST", "no valid WebSocket upgrade");
  if (is_refused_by_origin) return Refuse(403, "FORBIDDEN", "this origin is not allowed");
  return std::nullopt;
}

HttpRoute RoutePlain(const HttpRequestView& request, const HttpTarget& target,
                     const HttpRoutes& routes) {
  HttpRoute route{.kind =
                      target.path == "/" ? HttpRoute::Kind::kAnswer : HttpRoute::Kind::kService};
  const std::string& engineio = routes.engineio.front().prefix;
  if (target.path == "/" && (request.method == "GET" || request.method == "HEAD")) {
    route.answer = {
        .content_type = "text/plain; charset=UTF-8",
        .body = fmt::format("This is a Confab edge. Socket.IO clients connect to {}, others by "
                            "WebSocket with sub-protocol confab.v1.json or confab.v1.proto.\n",
                            engineio)};
  } else if (target.path + "/" == engineio) {
    route.kind = HttpRoute::Kind::kAnswer;
    route.answer = Refuse(404, "NOT_FOUND",
                          fmt::format("Socket.IO is served at {}, with the slash", engineio));
  } else {
    route.answer = Refuse(404, "NOT_FOUND", "nothing stands at this path");
  }
  return route;
}

HttpRoute RouteNative(const HttpRequestView& request, std::string_view subprotocol,
                      bool is_refused_by_origin) {
  if (std::optional<HttpAnswer> refusal = CheckUpgrade(request, is_refused_by_origin)) {
    return {.answer = std::move(*refusal)};
  }
  HttpRoute route{.kind = HttpRoute::Kind::kWebSocket, .subprotocol = std::string(subprotocol)};
  route.open.protocol = NativeFormOf(subprotocol) == NativeForm::kJson
                            ? OpenRequest::Protocol::kNativeJson
                            : OpenRequest::Protocol::kNativeBinary;
  return route;
}

HttpRoute RouteByPath(const HttpRequestView& request, const HttpTarget& target,
                      const HttpRoutes& routes, bool is_refused_by_origin, SidState state) {
  if (const HttpRoutes::EngineIoPath* path = routes.FindEngineIo(target.path)) {
    HttpRoute route = RouteEngineIo(request, target, is_refused_by_origin, state);
    route.open.protocol = path->protocol;
    route.open.dialect = target.Get("dialect");
    route.open.device_id = target.Get("deviceId");
    return route;
  }
  const std::string_view subprotocol = ChooseSubprotocol(request.subprotocols);
  if (!subprotocol.empty()) return RouteNative(request, subprotocol, is_refused_by_origin);
  if (!routes.plain_path.empty() && target.path == routes.plain_path) {
    if (std::optional<HttpAnswer> refusal = CheckUpgrade(request, is_refused_by_origin)) {
      return {.answer = std::move(*refusal)};
    }
    HttpRoute route{.kind = HttpRoute::Kind::kWebSocket};
    route.open.protocol = OpenRequest::Protocol::kPlain;
    return route;
  }
  return RoutePlain(request, target, routes);
}

}  // namespace

const HttpRoutes::EngineIoPath* HttpRoutes::FindEngineIo(std::string_view path) const {
  for (const EngineIoPath& one : engineio) {
    if (path.starts_with(one.prefix)) return &one;
  }
  return nullptr;
}

HttpRoute RouteRequest(const HttpRequestView& request, const HttpTarget& target,
                       const HttpRoutes& routes, const OriginPolicy& origins, SidState state) {
  const bool is_allowed = origins.Allows(request.origin, request.host);
  HttpRoute route = RouteByPath(request, target, routes, !is_allowed, state);
  route.open.token = request.authorization.empty() ? target.Get("token") : request.authorization;
  route.is_origin_allowed = is_allowed && request.origin;
  route.answer.allows_origin = route.is_origin_allowed;
  return route;
}

}  // namespace confab::edge
