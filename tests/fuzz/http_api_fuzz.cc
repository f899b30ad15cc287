// Requests of the HTTP API: a command that control can read, or an answer.
// Covers: edge/http_api/http_api.cc edge/http_api/http_routes.cc edge/http_api/request_fields.cc
//   edge/http_api/http_path.cc edge/http_api/http_result.cc
#include <string>
#include <variant>

#include <google/protobuf/stubs/logging.h>

#include "edge/http_api/http_api.h"
#include "proto/reason.h"
#include "tests/fuzz/http_answers.h"
#include "tests/fuzz/http_request.h"

namespace {

namespace edge = confab::edge;
namespace v1 = confab::v1;
using confab::fuzz::Require;

// What control may say to it, with the client's own words in it.
void CheckResults(const edge::HttpAsk& ask, const edge::HttpRequestView& request,
                  const std::string& words) {
  v1::Result result;
  *result.mutable_error() = confab::MakeError(v1::REASON_ROOM_NOT_FOUND, words);
  confab::fuzz::CheckAnswer(edge::HttpApi::AnswerOfAsk(ask, result), request);
  result.mutable_room()->set_id(words);
  result.mutable_room()->set_topic(words);
  confab::fuzz::CheckAnswer(edge::HttpApi::AnswerOfAsk(ask, result), request);
  v1::Event& event = *result.mutable_history()->add_events();
  event.set_room_id(words);
  event.mutable_message_posted()->set_content(words);
  confab::fuzz::CheckAnswer(edge::HttpApi::AnswerOfAsk(ask, result), request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static auto* const silent = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(silent);
  static const edge::OriginPolicy origins =
      *edge::OriginPolicy::Create({"https://a.example"}, true);
  static edge::HttpApi api(origins);
  std::string_view body = confab::fuzz::View(bytes, size);
  const edge::HttpRequestView request = confab::fuzz::TakeRequest(body);
  const auto read = api.Read(request, body, true);
  if (const auto* answer = std::get_if<edge::HttpAnswer>(&read)) {
    confab::fuzz::CheckAnswer(*answer, request);
    return 0;
  }
  const auto& ask = std::get<edge::HttpAsk>(read);
  Require(ask.command.command_case() != v1::Command::COMMAND_NOT_SET, "a request is a command");
  v1::Command again;
  Require(again.ParseFromString(ask.command.SerializeAsString()), "control can read the command");
  const std::string words =
      ask.command.has_post_message() ? ask.command.post_message().content() : "\"\\\r\n";
  CheckResults(ask, request, words);
  return 0;
}
