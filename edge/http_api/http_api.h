// http_api.h: the HTTP API: a request becomes a command for control, or an answer at once.
// Owns: a JSON parser.   Used by: io_thread.
// Threads: confined to its io thread; AnswerOfAsk is pure.
// Fails: with an answer that says what is wrong; reasons and statuses stand in the OpenAPI document.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "confab/v1/edge_link.pb.h"

#include "edge/auth/origin_policy.h"
#include "edge/http_api/http_routes.h"
#include "edge/protocol/json_text.h"
#include "edge/transport/http_answer.h"

namespace confab::edge {

// What is to be asked of control.
struct HttpAsk {
  v1::Command command;
  ApiRoute::Caller caller = ApiRoute::Caller::kUser;
  std::string token;  // Of a user; empty for a service, whose token stands in the command.
  int status = 200;   // Of an answer that is no refusal.
  bool allows_origin = false;
};

class HttpApi {
 public:
  // As for a message of a socket.
  static constexpr std::size_t kBodyBytesLimit = 64 * 1024;

  // `origins` outlives this object.
  explicit HttpApi(const OriginPolicy& origins) : origins_(origins) {}

  // `is_attached`: control is there, for /health.
  std::variant<HttpAnswer, HttpAsk> Read(const HttpRequestView& request, std::string_view body,
                                         bool is_attached);

  // What control, or the edge in its place, has said to it.
  static HttpAnswer AnswerOfAsk(const HttpAsk& ask, const v1::Result& result);

 private:
  std::variant<HttpAnswer, HttpAsk> ReadAllowed(const HttpRequestView& request,
                                                std::string_view body, bool is_attached);
  std::variant<HttpAnswer, HttpAsk> ReadRoute(const ApiRoute& route, const HttpRequestView& request,
                                              const HttpTarget& target,
                                              const PathSegments& segments, std::string_view body);

  const OriginPolicy& origins_;
  JsonParser json_;
};

// The document that describes the API: OpenAPI 3.1.
std::string_view OpenApiDocument();

}  // namespace confab::edge
