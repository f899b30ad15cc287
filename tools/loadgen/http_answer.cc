#include "tools/loadgen/http_answer.h"

#include <absl/strings/numbers.h>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/parse.hpp>

namespace confab::loadgen {
namespace {

namespace http = boost::beast::http;

constexpr uint64_t kBodyBytesLimit = 4 * 1024 * 1024;  // Rooms and refusals are small.

std::string TextOf(const boost::json::object& object, const char* name) {
  const boost::json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

}  // namespace

HttpRefusal RefusalOf(const HttpAnswer& answer) {
  boost::json::error_code failure;
  const boost::json::value json = boost::json::parse(answer.body, failure);
  if (failure || !json.is_object()) return {};
  const boost::json::value* error = json.get_object().if_contains("error");
  if (error == nullptr || !error->is_object()) {
    return {"", TextOf(json.get_object(), "message")};  // As Engine.IO refuses.
  }
  return {TextOf(error->get_object(), "reason"), TextOf(error->get_object(), "message")};
}

class HttpAnswerReader::State {
 public:
  State() {
    parser_.eager(true);
    parser_.body_limit(kBodyBytesLimit);
  }

  bool Read(std::string_view& bytes) {
    boost::beast::error_code error;
    // A head that is cut is held back until the rest is there: Beast wants it in one piece.
    held_.append(bytes);
    size_t used = 0;
    while (!parser_.is_done() && used < held_.size()) {
      const size_t taken =
          parser_.put(boost::asio::buffer(held_.data() + used, held_.size() - used), error);
      used += taken;
      if (error || taken == 0) break;
    }
    const bool is_good = !error || error == http::error::need_more;
    if (parser_.is_done()) {
      bytes.remove_prefix(bytes.size() - (held_.size() - used));
      held_.clear();
    } else {
      bytes = {};
      held_.erase(0, used);
    }
    return is_good;
  }

  bool is_whole() const { return parser_.is_done(); }

  HttpAnswer Take() {
    const auto& message = parser_.get();
    HttpAnswer answer{.status = static_cast<int>(message.result_int()),
                      .body = message.body(),
                      .keeps_alive = message.keep_alive()};
    const auto retry = message[http::field::retry_after];
    const absl::string_view seconds(retry.data(), retry.size());
    if (!absl::SimpleAtoi(seconds, &answer.retry_after_s)) answer.retry_after_s = 0;
    return answer;
  }

 private:
  http::response_parser<http::string_body> parser_;
  std::string held_;
};

HttpAnswerReader::HttpAnswerReader() : state_(std::make_unique<State>()) {}
HttpAnswerReader::~HttpAnswerReader() = default;
bool HttpAnswerReader::Read(std::string_view& bytes) { return state_->Read(bytes); }
bool HttpAnswerReader::is_whole() const { return state_->is_whole(); }
HttpAnswer HttpAnswerReader::Take() { return state_->Take(); }

}  // namespace confab::loadgen
