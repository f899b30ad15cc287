#include "edge/transport/listener.h"

#include <array>
#include <cerrno>
#include <memory>
#include <netinet/tcp.h>
#include <string_view>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <fmt/format.h>

#include "edge/transport/event_loop.h"
#include "edge/transport/upgrade_policy.h"
#include "edge/transport/websocket_accept.h"
#include "process/log.h"

namespace confab::edge {

namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Executor = net::io_context::executor_type;
using TcpAcceptor = net::basic_socket_acceptor<net::ip::tcp, Executor>;

// Headers of a request; a browser sends some 15.
constexpr int kFieldsLimit = 100;
// For an answer to go out and the peer to hang up.
constexpr absl::Duration kAnswerTimeLimit = absl::Seconds(2);
// After a failed accept, mostly for want of descriptors.
constexpr absl::Duration kAcceptPause = absl::Milliseconds(500);

// DESIGN.md section 4: keeps the backlog of a slow reader where the outbox's policy can reach it.
constexpr int kSendBufferBytes = 128 * 1024;
constexpr int kNotSentLowAt = 32 * 1024;

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

void Tune(EdgeSocket& socket) {
  error_code ignored;
  socket.set_option(net::ip::tcp::no_delay(true), ignored);
  socket.set_option(net::socket_base::send_buffer_size(kSendBufferBytes), ignored);
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kNotSentLowAt,
               sizeof(kNotSentLowAt));
}

// One accepted socket until it is upgraded or answered.
class HttpTalk final : private TimerWheel::Entry, public std::enable_shared_from_this<HttpTalk> {
 public:
  HttpTalk(TransportHome& home, const OriginPolicy& origins, const ListenerLimits& limits,
           EdgeSocket&& socket)
      : home_(home), origins_(origins), limits_(limits), socket_(std::move(socket)) {}

  void Read() {
    accepted_at_ = std::chrono::steady_clock::now();
    parser_.header_limit(limits_.header_bytes);
    home_.loop.wheel().Arm(*this, limits_.header_time);
    http::async_read_header(
        socket_, buffer_, parser_,
        [self = shared_from_this()](error_code error, std::size_t) { self->OnHeader(error); });
  }

 private:
  void OnTimer() override { Close(); }

  void Close() {
    TimerWheel::Entry::Cancel();
    error_code ignored;
    socket_.close(ignored);
  }

  void OnHeader(error_code error) {
    if (error == http::error::header_limit) {
      return Write({.status = 431, .content_type = "text/plain", .body = "headers too large\n"});
    }
    if (error && error.category() == http::make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      return Write({.status = 400, .content_type = "text/plain", .body = "not HTTP\n"});
    }
    if (error) return Close();
    const auto& request = parser_.get();
    if (std::distance(request.begin(), request.end()) > kFieldsLimit) {
      return Write({.status = 431, .content_type = "text/plain", .body = "too many headers\n"});
    }
    UpgradeDecision decision = DecideUpgrade(ViewOf(request), origins_);
    if (decision.answer) return Write(std::move(*decision.answer));
    Upgrade(std::move(decision));
  }

  static HttpRequestView ViewOf(const UpgradeRequest& request) {
    HttpRequestView view;
    view.method = View(request.method_string());
    view.is_http11 = request.version() == 11;
    view.target = View(request.target());
    view.host = View(request[http::field::host]);
    if (const auto it = request.find(http::field::origin); it != request.end()) {
      view.origin = View(it->value());
    }
    view.authorization = View(request[http::field::authorization]);
    view.subprotocols = View(request[http::field::sec_websocket_protocol]);
    view.websocket_key = View(request[http::field::sec_websocket_key]);
    view.websocket_version = View(request[http::field::sec_websocket_version]);
    view.is_upgrade = boost::beast::websocket::is_upgrade(request);
    return view;
  }

  void Upgrade(UpgradeDecision decision) {
    TimerWheel::Entry::Cancel();
    decision.open.accepted_at = accepted_at_;
    const auto rest = buffer_.data();
    std::string early(static_cast<const char*>(rest.data()), rest.size());
    AcceptWebSocket(home_, std::move(socket_), parser_.get(), std::move(early),
                    std::move(decision.open), decision.subprotocol);
  }

  void Write(HttpAnswer answer) {
    home_.loop.wheel().Arm(*this, kAnswerTimeLimit);
    response_.result(static_cast<unsigned>(answer.status));
    response_.set(http::field::server, "confab-edge");
    response_.set(http::field::content_type, answer.content_type);
    response_.set(http::field::cache_control, "no-store");
    if (answer.allows_origin) {
      response_.set(http::field::access_control_allow_origin, parser_.get()[http::field::origin]);
      response_.set(http::field::access_control_allow_credentials, "true");
      response_.set(http::field::vary, "Origin");
    }
    response_.keep_alive(false);
    if (parser_.get().method() != http::verb::head) response_.body() = std::move(answer.body);
    response_.prepare_payload();
    http::async_write(
        socket_, response_,
        [self = shared_from_this()](error_code error, std::size_t) { self->OnWritten(error); });
  }

  // Closing with unread bytes would send a reset that can overtake the answer.
  void OnWritten(error_code error) {
    if (error) return Close();
    error_code ignored;
    socket_.shutdown(net::socket_base::shutdown_send, ignored);
    Drain();
  }

  void Drain() {
    buffer_.clear();
    socket_.async_read_some(buffer_.prepare(buffer_.max_size()),
                            [self = shared_from_this()](error_code error, std::size_t) {
                              if (error) return self->Close();
                              self->Drain();
                            });
  }

  // Room behind the headers for frames that come in the same segment.
  static constexpr std::size_t kBufferBytes = 12 * 1024;

  TransportHome& home_;
  const OriginPolicy& origins_;
  const ListenerLimits& limits_;
  EdgeSocket socket_;
  boost::beast::flat_static_buffer<kBufferBytes> buffer_;
  http::request_parser<http::empty_body> parser_;
  http::response<http::string_body> response_;
  std::chrono::steady_clock::time_point accepted_at_;
};

}  // namespace

class Listener::Acceptor final : private TimerWheel::Entry,
                                 public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(TransportHome& home, const OriginPolicy& origins, ListenerLimits limits)
      : home_(home),
        origins_(origins),
        limits_(limits),
        acceptor_(home.loop.context().get_executor()) {}

  absl::StatusOr<std::uint16_t> Open(const std::string& host, std::uint16_t port, bool is_first) {
    error_code error;
    const net::ip::address address = net::ip::make_address(host, error);
    if (error) return absl::InvalidArgumentError(fmt::format("{} is no IP address", host));
    const net::ip::tcp::endpoint endpoint(address, port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(net::socket_base::reuse_address(true), error);
    // The first socket binds before it shares: so it fails where another process of the same user
    // listens, instead of taking half of its clients. Those that follow join it.
    if (!error && is_first) acceptor_.bind(endpoint, error);
    const int on = 1;
    if (!error &&
        ::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) {
      error = error_code(errno, boost::system::system_category());
    }
    if (!error && !is_first) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
    if (error) {
      return absl::FailedPreconditionError(
          fmt::format("cannot listen on {}:{}: {}", host, port, error.message()));
    }
    const std::uint16_t bound = acceptor_.local_endpoint(error).port();
    Accept();
    return bound;
  }

  void Close() {
    TimerWheel::Entry::Cancel();
    error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  void Accept() {
    acceptor_.async_accept([self = shared_from_this()](error_code error, EdgeSocket socket) {
      self->OnAccept(error, std::move(socket));
    });
  }

  void OnAccept(error_code error, EdgeSocket socket) {
    if (!acceptor_.is_open()) return;
    if (error) {
      // The socket stays in the kernel's queue: accepting at once would spin.
      if (!is_short_) process::LogWarn("cannot accept sockets", {{"error", error.message()}});
      is_short_ = true;
      home_.loop.wheel().Arm(*this, kAcceptPause);
      return;
    }
    is_short_ = false;
    if (home_.list.size() < limits_.connections) {
      Tune(socket);
      std::make_shared<HttpTalk>(home_, origins_, limits_, std::move(socket))->Read();
    }
    Accept();
  }

  void OnTimer() override { Accept(); }

  TransportHome& home_;
  const OriginPolicy& origins_;
  const ListenerLimits limits_;
  TcpAcceptor acceptor_;
  bool is_short_ = false;  // Of descriptors or memory; said once.
};

Listener::Listener(TransportHome& home, const OriginPolicy& origins, ListenerLimits limits)
    : acceptor_(std::make_shared<Acceptor>(home, origins, limits)) {}

Listener::~Listener() { Close(); }

absl::StatusOr<std::uint16_t> Listener::Open(const std::string& host, std::uint16_t port,
                                             bool is_first) {
  return acceptor_->Open(host, port, is_first);
}

void Listener::Close() { acceptor_->Close(); }

}  // namespace confab::edge
