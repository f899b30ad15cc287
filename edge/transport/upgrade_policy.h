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
  std::optional<HttpAnswer> answer;  // Set: answer so and close. Else upgrade:
  OpenRequest open;
  std::string subprotocol;  // To be named in the answer; may be empty.
};

UpgradeDecision DecideUpgrade(const HttpRequestView& request, const OriginPolicy& origins);

}  // namespace confab::edge
