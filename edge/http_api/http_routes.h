// http_routes.h: the table of routes: which method and path become which command.
// Threads: immutable; any thread.
#pragma once

#include <span>
#include <string_view>

#include "confab/v1/edge_link.pb.h"

#include "edge/http_api/request_fields.h"

namespace confab::edge {

struct ApiRoute {
  // Who may ask.
  enum class Caller {
    kUser,     // Shows a user's token, which the edge checks.
    kService,  // Shows a service's token, which control checks.
    kAnybody,  // Answered by the edge itself.
  };
  std::string_view method;  // GET stands for HEAD too.
  std::string_view path;    // Under /v1 and without it; at most two {names}.
  Caller caller = Caller::kUser;
  bool has_body = false;  // A JSON object. Where there is none, what comes is passed over.
  int status = 200;       // Of an answer that is no refusal.
  void (*read)(RequestFields& in, v1::Command& command) = nullptr;  // Null for kAnybody.
};

std::span<const ApiRoute> ApiRoutes();

}  // namespace confab::edge
