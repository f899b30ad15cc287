#include "edge/transport/http_answer.h"

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

namespace confab::edge {

std::string FormatHttpAnswer(const HttpAnswer& answer, const HttpAnswerFrame& frame) {
  const auto status = boost::beast::http::int_to_status(static_cast<unsigned>(answer.status));
  const auto reason = boost::beast::http::obsolete_reason(status);
  std::string out =
      fmt::format("HTTP/1.1 {} {}\r\nServer: confab-edge\r\nCache-Control: no-store\r\n",
                  answer.status, std::string_view(reason.data(), reason.size()));
  const auto add = [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  if (!answer.content_type.empty()) add("Content-Type", answer.content_type);
  if (answer.allows_origin && !frame.origin.empty()) {
    add("Access-Control-Allow-Origin", frame.origin);
    add("Access-Control-Allow-Credentials", "true");
    add("Vary", "Origin");
  }
  for (const auto& [name, value] : answer.headers) add(name, value);
  if (!frame.keeps_alive) add("Connection", "close");
  const bool has_body = answer.status != 204 && answer.status != 304;
  if (has_body) add("Content-Length", std::to_string(answer.body.size()));
  out += "\r\n";
  if (has_body && !frame.is_head) out += answer.body;
  return out;
}

}  // namespace confab::edge
