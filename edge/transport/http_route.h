// http_route.h: what an HTTP request is for: a WebSocket of one of our protocols, long-polling, the
// HTTP service, or nothing but an answer. Decided by its headers alone.
// Threads: pure functions; HttpRoutes is immutable.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "edge/auth/origin_policy.h"
#include "edge/connection/session.h"
#include "edge/transport/http_answer.h"
#include "edge/transport/http_target.h"
#include "edge/transport/sid_table.h"

namespace confab::edge {

// Where Engine.IO stands. A path is compared as a prefix with its trailing slash, as clients of the
// reference send it.
struct HttpRoutes {
  struct EngineIoPath {
    std::string prefix;
    OpenRequest::Protocol protocol = OpenRequest::Protocol::kSocketIo;
  };
  std::vector<EngineIoPath> engineio = {{.prefix = "/socket.io/"}};
  // Plain WebSockets without a sub-protocol, for tests; empty: none.
  std::string plain_path = {};

  // Null: the path is not Engine.IO's.
  const EngineIoPath* FindEngineIo(std::string_view path) const;
};

struct HttpRoute {
  enum class Kind : char {
    kAnswer,       // With `answer`.
    kService,      // The HTTP service's; without one, `answer`.
    kWebSocket,    // A new session.
    kProbe,        // A WebSocket for the session `sid`.
    kOpenPolling,  // A new session; this is its first GET.
    kPoll,         // A GET of the session `sid`.
    kPost,         // A POST to it.
  };
  Kind kind = Kind::kAnswer;
  HttpAnswer answer = {};
  OpenRequest open = {};
  std::string subprotocol = {};    // To be named in the 101; may be empty.
  std::string sid = {};            // As the request says it.
  bool is_origin_allowed = false;  // There is an origin, and answers carry CORS headers for it.
};

// `state`: of the sid that `target` names, if it names one.
HttpRoute RouteRequest(const HttpRequestView& request, const HttpTarget& target,
                       const HttpRoutes& routes, const OriginPolicy& origins, SidState state);

}  // namespace confab::edge
