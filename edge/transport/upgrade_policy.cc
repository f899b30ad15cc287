#include "edge/transport/upgrade_policy.h"

#include <algorithm>

#include <fmt/format.h>

#include "edge/transport/http_target.h"

namespace confab::edge {

namespace {

constexpr std::string_view kSocketIoPath = "/socket.io/";

// Codes of the Engine.IO handshake, as the reference server gives them.
enum EngineIoRefusal {
  kTransportUnknown = 0,
  kSessionUnknown = 1,
  kBadMethod = 2,
  kBadRequest = 3,
  kForbidden = 4,
  kUnsupportedVersion = 5,
};

HttpAnswer RefuseEngineIo(EngineIoRefusal code, std::string_view message) {
  return {.status = code == kForbidden ? 403 : 400,
          .body = fmt::format(R"({{"code":{},"message":"{}"}})", static_cast<int>(code), message)};
}

HttpAnswer Refuse(int status, std::string_view reason, std::string_view message) {
  return {.status = status,
          .body = fmt::format(R"({{"error":{{"reason":"{}","message":"{}","retryable":false}}}})",
                              reason, message)};
}

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

std::optional<HttpAnswer> CheckEngineIo(const HttpRequestView& request, const HttpTarget& target,
                                        bool origin_allowed) {
  // The order of the reference: what is wrong with the transport is said first.
  if (target.Get("transport") != "websocket") {
    return RefuseEngineIo(kTransportUnknown, "Transport unknown");
  }
  if (target.Has("sid")) return RefuseEngineIo(kSessionUnknown, "Session ID unknown");
  if (request.method != "GET") return RefuseEngineIo(kBadMethod, "Bad handshake method");
  if (!IsWebSocketUpgrade(request)) return RefuseEngineIo(kBadRequest, "Bad request");
  if (!origin_allowed) return RefuseEngineIo(kForbidden, "Forbidden");
  if (target.Get("EIO") != "4") {
    return RefuseEngineIo(kUnsupportedVersion, "Unsupported protocol version");
  }
  return std::nullopt;
}

std::optional<HttpAnswer> CheckNative(const HttpRequestView& request, bool origin_allowed) {
  if (!IsWebSocketUpgrade(request)) return Refuse(400, "BAD_REQUEST", "no valid WebSocket upgrade");
  if (!origin_allowed) return Refuse(403, "FORBIDDEN", "this origin is not allowed");
  return std::nullopt;
}

HttpAnswer AnswerPlain(const HttpRequestView& request, const HttpTarget& target) {
  if (target.path == "/" && (request.method == "GET" || request.method == "HEAD")) {
    return {.content_type = "text/plain; charset=UTF-8",
            .body =
                "This is a Confab edge. Socket.IO clients connect to /socket.io/, others by "
                "WebSocket with sub-protocol confab.v1.json or confab.v1.proto.\n"};
  }
  return Refuse(404, "NOT_FOUND", "nothing stands at this path");
}

}  // namespace

UpgradeDecision DecideUpgrade(const HttpRequestView& request, const OriginPolicy& origins) {
  UpgradeDecision decision;
  const HttpTarget target = ParseHttpTarget(request.target);
  const bool origin_allowed = origins.Allows(request.origin, request.host);
  const std::string_view subprotocol = ChooseSubprotocol(request.subprotocols);
  decision.open.token = request.authorization.empty() ? target.Get("token") : request.authorization;
  if (target.path.starts_with(kSocketIoPath)) {
    decision.open.protocol = OpenRequest::Protocol::kSocketIo;
    decision.open.dialect = target.Get("dialect");
    decision.open.device_id = target.Get("deviceId");
    decision.answer = CheckEngineIo(request, target, origin_allowed);
  } else if (!subprotocol.empty()) {
    decision.open.protocol = NativeFormOf(subprotocol) == NativeForm::kJson
                                 ? OpenRequest::Protocol::kNativeJson
                                 : OpenRequest::Protocol::kNativeBinary;
    decision.subprotocol = subprotocol;
    decision.answer = CheckNative(request, origin_allowed);
  } else {
    decision.is_plain = true;
    decision.answer = AnswerPlain(request, target);
  }
  if (decision.answer) decision.answer->allows_origin = origin_allowed && request.origin;
  return decision;
}

}  // namespace confab::edge
