// engineio_answers.h: what the Engine.IO endpoint says over HTTP, in the reference's words.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "confab/v1/types.pb.h"

#include "edge/transport/http_answer.h"

namespace confab::edge {

enum class EngineIoRefusal : int {
  kTransportUnknown = 0,
  kSessionUnknown = 1,
  kBadMethod = 2,
  kBadRequest = 3,
  kForbidden = 4,
  kUnsupportedVersion = 5,
};

// 403 for kForbidden, else 400; {"code":N,"message":"..."}.
HttpAnswer RefuseEngineIo(EngineIoRefusal refusal);
// A session that may not open now, with Retry-After: {"code":4,"message":"..."} of Engine.IO, else
// {"error":{...}}.
HttpAnswer RefuseSession(const v1::Error& error, bool is_engineio);
// To a GET.
HttpAnswer AnswerPayload(std::string payload);
// To a POST: its packets were taken.
HttpAnswer AnswerOk();
// To a CORS preflight that asks for these headers.
HttpAnswer AnswerPreflight(std::string_view requested_headers);

}  // namespace confab::edge
