// upgrade_policy.h: what an HTTP request becomes: a WebSocket of one of our protocols, or an answer.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>

#include "edge/auth/origin_policy.h"
#include "edge/connection/session.h"
#include "edge/transport/http_answer.h"

namespace confab::edge {

struct UpgradeDecision {
  std::optional<HttpAnswer> answer;  // Set: answer so. Else upgrade:
  OpenRequest open;
  std::string subprotocol;  // To be named in the answer; may be empty.
  bool is_plain = false;  // Neither an upgrade nor Engine.IO: the HTTP service's, if there is one.
};

UpgradeDecision DecideUpgrade(const HttpRequestView& request, const OriginPolicy& origins);

}  // namespace confab::edge
