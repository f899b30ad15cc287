// http_answers.h: an answer that is written is one answer, whatever was asked.
#pragma once

#include <string>
#include <string_view>

#include "edge/transport/http_answer.h"
#include "tests/fuzz/fuzz_json.h"

namespace confab::fuzz {

inline void CheckAnswer(const edge::HttpAnswer& answer, const edge::HttpRequestView& request) {
  Require(answer.status >= 200 && answer.status < 600, "an answer has a status");
  const bool is_head = request.method == "HEAD";
  const std::string out = edge::FormatHttpAnswer(
      answer, {.origin = request.origin.value_or(""), .is_head = is_head, .keeps_alive = true});
  const std::size_t end = out.find("\r\n\r\n");
  Require(end != std::string::npos, "an answer has a head");
  // Each line of the head is one of ours: nothing of a request begins a new one.
  const std::string_view head = std::string_view(out).substr(0, end);
  std::size_t lines = 1;
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '\n') {
      Require(i > 0 && head[i - 1] == '\r', "lines end with CR LF");
      ++lines;
    }
    Require(head[i] != '\r' || (i + 1 < head.size() && head[i + 1] == '\n'), "CR ends lines only");
  }
  constexpr std::size_t kLinesMax = 8;  // Status, server, cache, type, length, three for CORS.
  Require(lines <= kLinesMax + answer.headers.size(), "no header is of the request's making");
  const bool has_body = !is_head && answer.status != 204 && answer.status != 304;
  Require(std::string_view(out).substr(end + 4) == (has_body ? answer.body : ""),
          "behind the head stands the body");
  if (answer.content_type == "application/json" && !answer.body.empty()) {
    RequireJson(answer.body, "a JSON answer is JSON");
  }
}

}  // namespace confab::fuzz
