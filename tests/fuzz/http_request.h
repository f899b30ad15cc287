// http_request.h: a request's head as the edge looks at it, from lines: "METHOD TARGET", "name:
// value" …. Stands in for the HTTP parser, which is Beast's.
#pragma once

#include <string_view>

#include "edge/transport/http_answer.h"

namespace confab::fuzz {

// The first line of `rest`, which is then what follows it.
inline std::string_view TakeLine(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : line.size());
  return line;
}

// Takes the head and the empty line behind it off `rest`. What stands in a header has no control
// characters: the parser refuses them.
inline edge::HttpRequestView TakeRequest(std::string_view& rest) {
  edge::HttpRequestView request;
  std::string_view line = TakeLine(rest);
  request.method = line.substr(0, line.find(' '));
  line.remove_prefix(request.method.size());
  request.target = line.empty() ? "/" : line.substr(1);
  while (!(line = TakeLine(rest)).empty()) {
    const std::string_view name = line.substr(0, line.find(':'));
    std::string_view value = line.substr(name.size() < line.size() ? name.size() + 1 : name.size());
    while (value.starts_with(' ')) value.remove_prefix(1);
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (static_cast<unsigned char>(value[i]) < ' ') value = value.substr(0, i);
    }
    if (name == "host") request.host = value;
    if (name == "origin") request.origin = value;
    if (name == "authorization") request.authorization = value;
    if (name == "content-type") request.content_type = value;
    if (name == "idempotency-key") request.idempotency_key = value;
    if (name == "sec-websocket-protocol") request.subprotocols = value;
    if (name == "sec-websocket-key") request.websocket_key = value;
    if (name == "sec-websocket-version") request.websocket_version = value;
    if (name == "access-control-request-method") request.requested_method = value;
    if (name == "access-control-request-headers") request.requested_headers = value;
    if (name == "upgrade") request.is_upgrade = true;
    if (name == "http10") request.is_http11 = false;
  }
  return request;
}

}  // namespace confab::fuzz
