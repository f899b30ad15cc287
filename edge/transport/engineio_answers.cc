#include "edge/transport/engineio_answers.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "edge/protocol/json_text.h"
#include "edge/protocol/socketio_codec.h"
#include "proto/reason.h"

namespace confab::edge {

namespace {

// How long a browser need not ask again: an hour, which all of them take.
constexpr char kPreflightSeconds[] = "3600";

std::string_view MessageOf(EngineIoRefusal refusal) {
  switch (refusal) {
    case EngineIoRefusal::kTransportUnknown:
      return "Transport unknown";
    case EngineIoRefusal::kSessionUnknown:
      return "Session ID unknown";
    case EngineIoRefusal::kBadMethod:
      return "Bad handshake method";
    case EngineIoRefusal::kBadRequest:
      return "Bad request";
    case EngineIoRefusal::kForbidden:
      return "Forbidden";
    case EngineIoRefusal::kUnsupportedVersion:
      return "Unsupported protocol version";
  }
  return "";
}

}  // namespace

HttpAnswer RefuseEngineIo(EngineIoRefusal refusal) {
  return {.status = refusal == EngineIoRefusal::kForbidden ? 403 : 400,
          .body = fmt::format(R"({{"code":{},"message":"{}"}})", static_cast<int>(refusal),
                              MessageOf(refusal))};
}

HttpAnswer RefuseSession(const v1::Error& error, bool is_engineio) {
  HttpAnswer answer{.status = TraitsOf(error.reason()).http_status};
  answer.body = is_engineio ? R"({"code":4,"message":)" : R"({"error":)";
  if (is_engineio) {
    AppendJsonString(error.message(), answer.body);
  } else {
    AppendErrorObject(error, answer.body);
  }
  answer.body.push_back('}');
  const std::uint32_t seconds = std::max<std::uint32_t>(1, (error.retry_after_ms() + 999) / 1000);
  answer.headers.emplace_back("Retry-After", std::to_string(seconds));
  return answer;
}

HttpAnswer AnswerPayload(std::string payload) {
  return {.content_type = "text/plain; charset=UTF-8", .body = std::move(payload)};
}

HttpAnswer AnswerOk() { return {.content_type = "text/html", .body = "ok"}; }

HttpAnswer AnswerPreflight(std::string_view requested_headers) {
  HttpAnswer answer{.status = 204, .content_type = ""};
  answer.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  if (!requested_headers.empty()) {
    answer.headers.emplace_back("Access-Control-Allow-Headers", requested_headers);
  }
  answer.headers.emplace_back("Access-Control-Max-Age", kPreflightSeconds);
  return answer;
}

}  // namespace confab::edge
