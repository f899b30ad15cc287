// http_result.h: what became of a request, as an HTTP answer. The status of a refusal comes from the
// table of reasons; JSON as everywhere: lowerCamelCase, seq as a number, times as RFC 3339.
// Threads: pure functions.
#pragma once

#include "confab/v1/edge_link.pb.h"
#include "confab/v1/types.pb.h"

#include "edge/transport/http_answer.h"

namespace confab::edge {

// `status`: of an answer that is no refusal.
HttpAnswer AnswerOfResult(const v1::Result& result, int status);

// `status` 0: that of the reason. With WWW-Authenticate and Retry-After where they belong.
HttpAnswer AnswerOfError(const v1::Error& error, int status = 0);

}  // namespace confab::edge
