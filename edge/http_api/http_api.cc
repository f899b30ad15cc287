#include "edge/http_api/http_api.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "edge/http_api/http_path.h"
#include "edge/http_api/http_result.h"
#include "edge/transport/http_target.h"
#include "proto/reason.h"

namespace confab::edge {
namespace {

// What a page may send to us, and for how long its browser may remember that.
constexpr char kAllowedHeaders[] = "Authorization, Content-Type, Idempotency-Key";
constexpr char kPreflightSeconds[] = "600";
// What a page may read of an answer beside what every page may.
constexpr char kExposedHeaders[] = "Location, Retry-After";

HttpAnswer Refuse(int status, v1::Reason reason, std::string message) {
  return AnswerOfError(MakeError(reason, std::move(message)), status);
}

// What stands at a path.
struct Found {
  const ApiRoute* route = nullptr;  // For the method, if there is one.
  PathSegments segments;
  std::string methods;  // All of them: "GET, HEAD, OPTIONS"; empty: nothing stands there.
};

Found Find(std::string_view method, std::string_view path) {
  Found found;
  for (const ApiRoute& route : ApiRoutes()) {
    PathSegments segments;
    if (!MatchPath(route.path, path, segments)) continue;
    found.methods += route.method;
    found.methods += route.method == "GET" ? ", HEAD, " : ", ";
    if (route.method == method || (route.method == "GET" && method == "HEAD")) {
      found.route = &route;
      found.segments = segments;
    }
  }
  if (!found.methods.empty()) found.methods += "OPTIONS";
  return found;
}

bool IsJson(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  constexpr std::string_view kJson = "application/json";
  return std::equal(type.begin(), type.end(), kJson.begin(), kJson.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

HttpAnswer AnswerItself(const ApiRoute& route, bool is_attached) {
  if (route.path == "/openapi.json") return {.body = std::string(OpenApiDocument())};
  if (is_attached) return {.body = R"({"status":"ok"})"};
  return AnswerOfError(
      MakeError(v1::REASON_UNAVAILABLE, "the service cannot be reached right now"));
}

HttpAnswer AnswerOptions(const HttpRequestView& request, const Found& found) {
  HttpAnswer answer{.status = 204, .content_type = ""};
  answer.headers.emplace_back("Allow", found.methods);
  if (request.origin) {
    answer.headers.emplace_back("Access-Control-Allow-Methods", found.methods);
    answer.headers.emplace_back("Access-Control-Allow-Headers", kAllowedHeaders);
    answer.headers.emplace_back("Access-Control-Max-Age", kPreflightSeconds);
  }
  return answer;
}

void AllowOrigin(HttpAnswer& answer) {
  answer.allows_origin = true;
  answer.headers.emplace_back("Access-Control-Expose-Headers", kExposedHeaders);
}

}  // namespace

std::variant<HttpAnswer, HttpAsk> HttpApi::Read(const HttpRequestView& request,
                                                std::string_view body, bool is_attached) {
  if (!origins_.Allows(request.origin, request.host)) {
    return Refuse(403, v1::REASON_FORBIDDEN, "this origin is not allowed");
  }
  std::variant<HttpAnswer, HttpAsk> read = ReadAllowed(request, body, is_attached);
  if (!request.origin) return read;
  if (auto* ask = std::get_if<HttpAsk>(&read)) {
    ask->allows_origin = true;
  } else {
    AllowOrigin(std::get<HttpAnswer>(read));
  }
  return read;
}

std::variant<HttpAnswer, HttpAsk> HttpApi::ReadAllowed(const HttpRequestView& request,
                                                       std::string_view body, bool is_attached) {
  const HttpTarget target = ParseHttpTarget(request.target);
  const Found found = Find(request.method, PathBehindVersion(target.path));
  if (found.methods.empty()) {
    return Refuse(404, v1::REASON_UNKNOWN_COMMAND, "nothing stands at this path");
  }
  if (request.method == "OPTIONS") return AnswerOptions(request, found);
  if (found.route == nullptr) {
    HttpAnswer answer =
        Refuse(405, v1::REASON_UNKNOWN_COMMAND, fmt::format("this path takes {}", found.methods));
    answer.headers.emplace_back("Allow", found.methods);
    return answer;
  }
  if (found.route->caller == ApiRoute::Caller::kAnybody) {
    return AnswerItself(*found.route, is_attached);
  }
  return ReadRoute(*found.route, request, target, found.segments, body);
}

std::variant<HttpAnswer, HttpAsk> HttpApi::ReadRoute(const ApiRoute& route,
                                                     const HttpRequestView& request,
                                                     const HttpTarget& target,
                                                     const PathSegments& segments,
                                                     std::string_view body) {
  const boost::json::object* object = nullptr;
  if (route.has_body) {
    if (body.size() > kBodyBytesLimit) {
      return Refuse(413, v1::REASON_CONTENT_SIZE,
                    fmt::format("a body has at most {} bytes", kBodyBytesLimit));
    }
    if (!IsJson(request.content_type)) {
      return Refuse(415, v1::REASON_BAD_REQUEST, "the body must be application/json");
    }
    const auto value = json_.Parse(body);
    if (!value.ok()) {
      return Refuse(400, v1::REASON_BAD_REQUEST,
                    fmt::format("the body: {}", std::string(value.status().message())));
    }
    object = (*value)->if_object();
    if (object == nullptr) {
      return Refuse(400, v1::REASON_BAD_REQUEST, "the body must be a JSON object");
    }
  }
  HttpAsk ask;
  RequestFields in(request, target, segments, object, body);
  route.read(in, ask.command);
  if (std::optional<v1::Error> refusal = in.TakeRefusal()) return AnswerOfError(*refusal);
  ask.caller = route.caller;
  ask.status = route.status;
  if (route.caller == ApiRoute::Caller::kUser) ask.token = in.Token();
  return ask;
}

HttpAnswer HttpApi::AnswerOfAsk(const HttpAsk& ask, const v1::Result& result) {
  HttpAnswer answer = AnswerOfResult(result, ask.status);
  if (ask.allows_origin) AllowOrigin(answer);
  return answer;
}

}  // namespace confab::edge
