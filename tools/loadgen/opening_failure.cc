#include "tools/loadgen/opening_failure.h"

#include <fmt/format.h>

#include "tools/loadgen/advice.h"

namespace confab::loadgen {
namespace {

bool IsAboutTokens(std::string_view reason) { return reason.starts_with("TOKEN_"); }

std::string WithAdvice(std::string text, std::string_view reason, std::string_view message) {
  const std::string advice = AdviceOn(reason, message);
  if (!advice.empty()) text += "; " + advice;
  return text;
}

std::string_view StepOf(Stage stage) {
  switch (stage) {
    case Stage::kConnecting:
      return "connecting";
    case Stage::kUpgrading:
      return "the WebSocket upgrade";
    case Stage::kOpening:
    case Stage::kAdmitting:
      return "showing the token";
    case Stage::kJoining:
      return "joining the room";
    case Stage::kReady:
    case Stage::kClosed:
      break;
  }
  return "the connection";
}

std::string Unreachable(const std::string& where, const std::string& what) {
  return fmt::format(
      "{} cannot be reached: {}; is an edge running there? tools/up starts one and says its URL",
      where, what);
}

}  // namespace

Failure FailureOf(const Ending& ending, const std::string& where) {
  if (ending.stage == Stage::kConnecting) {
    return {Exit::kUnreachable, Unreachable(where, ending.what)};
  }
  const std::string text =
      fmt::format("{}: {} failed: {}", where, StepOf(ending.stage), ending.what);
  const Exit exit = IsAboutTokens(ending.reason) ? Exit::kNotAuthorised : Exit::kFaults;
  if (ending.status == 403) {
    return {exit, text + "; --allowed-origins of the edge must let in clients without an origin"};
  }
  return {exit, WithAdvice(text, ending.reason, ending.what)};
}

Failure FailureOf(const HttpAnswer& answer, const std::string& where) {
  if (answer.status == 0) return {Exit::kUnreachable, Unreachable(where, answer.body)};
  const HttpRefusal refusal = RefusalOf(answer);
  const std::string said = refusal.message.empty() ? answer.body.substr(0, 200) : refusal.message;
  const std::string text = fmt::format("{}: making the rooms was refused: {} {} {}", where,
                                       answer.status, refusal.reason, said);
  const bool is_token = answer.status == 401 || IsAboutTokens(refusal.reason);
  if (answer.status == 404 && refusal.reason.empty()) {
    return {Exit::kUnreachable, text + "; what answers there is no edge of Confab"};
  }
  return {is_token ? Exit::kNotAuthorised : Exit::kFaults,
          WithAdvice(text, refusal.reason, refusal.message)};
}

}  // namespace confab::loadgen
