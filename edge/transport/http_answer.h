// http_answer.h: an HTTP request as the edge looks at it, and what it answers.
// Threads: values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "edge/auth/client_address.h"

namespace confab::edge {

// What decisions need of a request. Views live as long as the request.
struct HttpRequestView {
  std::string_view method;
  bool is_http11 = true;
  std::string_view target;
  std::string_view host;
  std::optional<std::string_view> origin;
  std::string_view authorization;
  std::string_view content_type;
  std::string_view idempotency_key;  // Idempotency-Key.
  std::string_view subprotocols;     // Sec-WebSocket-Protocol, all of them.
  std::string_view websocket_key;    // Sec-WebSocket-Key.
  std::string_view websocket_version;
  // A CORS preflight has the first, and mostly the second: Access-Control-Request-….
  std::string_view requested_method;
  std::string_view requested_headers;
  bool is_upgrade = false;  // Connection: Upgrade and Upgrade: websocket.
  ClientAddress client = {.address = {}, .is_exempt = true};  // For the HTTP service alone.
};

struct HttpAnswer {
  int status = 200;
  std::string content_type = "application/json";  // Empty: no such header.
  std::string body = {};                          // Left out for HEAD by whoever writes it.
  bool allows_origin = false;  // The answer carries CORS headers for the request's origin.
  std::vector<std::pair<std::string, std::string>> headers = {};  // Beside those: Allow, ….
};

// What the bytes of an answer take from its request and its connection.
struct HttpAnswerFrame {
  std::string_view origin;  // The request's; empty if it had none.
  bool is_head = false;
  bool keeps_alive = true;
};

// The answer as it is written.
std::string FormatHttpAnswer(const HttpAnswer& answer, const HttpAnswerFrame& frame);

}  // namespace confab::edge
