#include "edge/http_api/http_exchange.h"

#include <chrono>
#include <utility>

#include "proto/reason.h"

namespace confab::edge {

HttpExchange::HttpExchange(HttpExchangeHome& home, HttpAsk ask, HttpService::Done done,
                           AddressTicket address)
    : home_(home),
      ask_(std::move(ask)),
      done_(std::move(done)),
      address_(address),
      connection_(home.host, *this, transport_, home.encoder, Connection::Kind::kHttpRequest) {
  home_.loop.wheel().Arm(*this, home_.wait_limit);
  if (ask_.caller == ApiRoute::Caller::kService) {
    connection_.EnterWithoutUser();
  } else if (const std::optional<v1::Error> refusal = connection_.Authenticate(ask_.token)) {
    Refuse(*refusal);
  }
}

std::optional<v1::Error> HttpExchange::CheckRates() {
  if (ask_.caller == ApiRoute::Caller::kService) return std::nullopt;
  return home_.rates.Take(connection_.user_id(), ask_.command, home_.host.limits(),
                          std::chrono::steady_clock::now());
}

void HttpExchange::SayConnected(std::string_view /*connection_id*/, const v1::User& /*user*/) {
  if (answer_) return;
  TimerWheel::Entry::Cancel();
  if (const std::optional<v1::Error> refusal = CheckRates()) {
    home_.host.CountRefusal(refusal->reason());
    return Refuse(*refusal);
  }
  connection_.Ask(std::move(ask_.command), std::nullopt);
}

void HttpExchange::SayResult(const v1::Command& /*command*/,
                             std::optional<std::uint64_t> /*reply_id*/, const v1::Result& result) {
  Finish(result);
}

void HttpExchange::SayRefusal(const v1::Command& /*command*/,
                              std::optional<std::uint64_t> /*reply_id*/, const v1::Error& error) {
  Refuse(error);
}

void HttpExchange::Shut(CloseReason /*reason*/) {
  Refuse(MakeError(v1::REASON_UNAVAILABLE, "the request was ended; try again"));
}

void HttpExchange::OnTimer() {
  Refuse(MakeError(v1::REASON_UNAVAILABLE, "the service cannot be reached right now"));
}

void HttpExchange::Refuse(const v1::Error& error) {
  v1::Result result;
  *result.mutable_error() = error;
  Finish(result);
}

void HttpExchange::Finish(const v1::Result& result) {
  if (answer_) return;
  TimerWheel::Entry::Cancel();
  answer_ = HttpApi::AnswerOfAsk(ask_, result);
  home_.loop.MarkDirty(*this);
}

// May end with this object destroyed.
void HttpExchange::Flush() {
  HttpService::Done done = std::move(done_);
  done(*std::move(answer_));
}

}  // namespace confab::edge
