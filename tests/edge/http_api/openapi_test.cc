// The OpenAPI document names what the table of routes has, and nothing else.
#include <set>
#include <string>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "edge/http_api/http_api.h"
#include "edge/http_api/http_routes.h"
#include "proto/reason.h"

namespace confab::edge {
namespace {

namespace json = boost::json;

json::object Document() {
  const std::string_view text = OpenApiDocument();
  return json::parse({text.data(), text.size()}).as_object();
}

std::string Text(json::string_view text) { return {text.data(), text.size()}; }

TEST(OpenApi, NamesEveryRouteAndNoOther) {
  std::set<std::string> routes;
  for (const ApiRoute& route : ApiRoutes()) {
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    routes.insert(method + " /v1" + std::string(route.path));
  }
  std::set<std::string> documented;
  const json::object document = Document();
  for (const auto& [path, operations] : document.at("paths").as_object()) {
    for (const auto& [method, operation] : operations.as_object()) {
      if (method != "parameters") documented.insert(Text(method) + ' ' + Text(path));
    }
  }
  EXPECT_EQ(documented, routes);
}

TEST(OpenApi, SaysOfEachRouteWhatTheTableSays) {
  const json::object document = Document();
  for (const ApiRoute& route : ApiRoutes()) {
    SCOPED_TRACE(route.path);
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    const json::object& operation =
        document.at("paths").at("/v1" + std::string(route.path)).at(method).as_object();
    EXPECT_TRUE(operation.at("responses").as_object().contains(std::to_string(route.status)));
    EXPECT_EQ(operation.contains("requestBody"), route.has_body);
    EXPECT_EQ(operation.contains("security"), route.caller != ApiRoute::Caller::kUser);
  }
}

}  // namespace
}  // namespace confab::edge
