// upgrade_policy.h: what an HTTP request becomes: a WebSocket of one of our protocols, or an answer.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "edge/auth/origin_policy.h"
#include "edge/connection/session.h"

namespace confab::edge {

// What the decision needs of a request. Views live as long as the request.
struct HttpRequestView {
  std::string_view method;
  bool is_http11 = true;
  std::string_view target;
  std::string_view host;
  std::optional<std::string_view> origin;
  std::string_view authorization;
  std::string_view subprotocols;   // Sec-WebSocket-Protocol, all of them.
  std::string_view websocket_key;  // Sec-WebSocket-Key.
  std::string_view websocket_version;
  bool is_upgrade = false;  // Connection: Upgrade and Upgrade: websocket.
};

struct HttpAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  bool allows_origin = false;  // The answer carries CORS headers for the request's origin.
};

struct UpgradeDecision {
  std::optional<HttpAnswer> answer;  // Set: answer so and close. Else upgrade:
  OpenRequest open;
  std::string subprotocol;  // To be named in the answer; may be empty.
};

UpgradeDecision DecideUpgrade(const HttpRequestView& request, const OriginPolicy& origins);

}  // namespace confab::edge
