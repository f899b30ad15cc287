#include "tools/loadgen/http_caller.h"

#include <array>
#include <utility>

#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace confab::loadgen {

using boost::system::error_code;
using tcp = boost::asio::ip::tcp;

// One connection, one call at a time.
class HttpCaller::Lane {
 public:
  Lane(HttpCaller& caller, boost::asio::io_context& io) : caller_(caller), socket_(io) {}

  bool is_free() const { return !is_busy_; }

  void Begin(HttpCall call) {
    call_ = std::move(call);
    is_busy_ = true;
    request_ = fmt::format(
        "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: "
        "application/json\r\nContent-Length: {}\r\n\r\n{}",
        call_.path, caller_.host_header_, call_.token, call_.json.size(), call_.json);
    is_first_try_ = socket_.is_open();
    if (socket_.is_open()) return Write();
    Connect();
  }

 private:
  void Connect() {
    error_code error;
    socket_.open(caller_.endpoint_.protocol(), error);
    if (!error && !caller_.source_.is_unspecified()) {
      socket_.bind(tcp::endpoint(caller_.source_, 0), error);
    }
    if (error) return End({.body = error.message()});
    socket_.async_connect(caller_.endpoint_, [this](const error_code& failure) {
      if (failure) return End({.body = failure.message()});
      error_code ignored;
      socket_.set_option(tcp::no_delay(true), ignored);
      Write();
    });
  }

  void Write() {
    reader_ = std::make_unique<HttpAnswerReader>();
    boost::asio::async_write(socket_, boost::asio::buffer(request_),
                             [this](const error_code& error, size_t) {
                               if (error) return Lost(error);
                               Read();
                             });
  }

  void Read() {
    socket_.async_read_some(boost::asio::buffer(buffer_),
                            [this](const error_code& error, size_t size) {
                              if (error) return Lost(error);
                              OnBytes({buffer_.data(), size});
                            });
  }

  void OnBytes(std::string_view bytes) {
    is_first_try_ = false;
    if (!reader_->Read(bytes)) return End({.body = "what answers there speaks no HTTP"});
    if (!reader_->is_whole()) return Read();
    const HttpAnswer answer = reader_->Take();
    if (!answer.keeps_alive) CloseSocket();
    End(answer);
  }

  // A kept connection may have been closed meanwhile: that says nothing of this call.
  void Lost(const error_code& error) {
    CloseSocket();
    if (std::exchange(is_first_try_, false)) return Connect();
    End({.body = error.message()});
  }

  void End(const HttpAnswer& answer) {
    if (answer.status == 0) CloseSocket();
    is_busy_ = false;
    --caller_.under_way_;
    const HttpCall call = std::exchange(call_, HttpCall());
    call.done(answer);
    if (is_busy_ || caller_.waiting_.empty()) return;
    HttpCall next = std::move(caller_.waiting_.front());
    caller_.waiting_.pop_front();
    ++caller_.under_way_;
    Begin(std::move(next));
  }

  void CloseSocket() {
    error_code ignored;
    socket_.close(ignored);
  }

  HttpCaller& caller_;
  tcp::socket socket_;
  bool is_busy_ = false;
  bool is_first_try_ = false;  // On a kept connection, and nothing was heard yet.
  HttpCall call_;
  std::string request_;
  std::unique_ptr<HttpAnswerReader> reader_;
  std::array<char, 4096> buffer_{};
};

HttpCaller::HttpCaller(boost::asio::io_context& io, tcp::endpoint endpoint,
                       boost::asio::ip::address source, std::string host_header)
    : endpoint_(std::move(endpoint)),
      source_(std::move(source)),
      host_header_(std::move(host_header)) {
  for (size_t i = 0; i < kLanes; ++i) lanes_.push_back(std::make_unique<Lane>(*this, io));
}

HttpCaller::~HttpCaller() = default;

void HttpCaller::Post(HttpCall call) {
  for (const auto& lane : lanes_) {
    if (!lane->is_free()) continue;
    ++under_way_;
    return lane->Begin(std::move(call));
  }
  waiting_.push_back(std::move(call));
}

}  // namespace confab::loadgen
