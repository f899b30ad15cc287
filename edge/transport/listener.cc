#include "edge/transport/listener.h"

#include <cerrno>
#include <chrono>
#include <memory>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include "edge/transport/edge_stream.h"
#include "edge/transport/event_loop.h"
#include "edge/transport/proxied_accept.h"
#include "process/log.h"

namespace confab::edge {

namespace {

namespace net = boost::asio;
using boost::system::error_code;
using Executor = net::io_context::executor_type;
using TcpAcceptor = net::basic_socket_acceptor<net::ip::tcp, Executor>;

// After a failed accept, mostly for want of descriptors.
constexpr absl::Duration kAcceptPause = absl::Milliseconds(500);

// DESIGN.md section 4: keeps the backlog of a slow reader where the outbox's policy can reach it.
constexpr int kSendBufferBytes = 128 * 1024;
constexpr int kNotSentLowAt = 32 * 1024;

void Tune(EdgeStream::Socket& socket) {
  error_code ignored;
  socket.set_option(net::ip::tcp::no_delay(true), ignored);
  socket.set_option(net::socket_base::send_buffer_size(kSendBufferBytes), ignored);
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kNotSentLowAt,
               sizeof(kNotSentLowAt));
}

}  // namespace

class Listener::Acceptor final : private TimerWheel::Entry,
                                 public std::enable_shared_from_this<Acceptor> {
 public:
  explicit Acceptor(HttpHome& home)
      : home_(home), acceptor_(home.transports.loop.context().get_executor()) {}

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
  // Who comes too fast waits in the kernel's queue.
  void Accept() {
    const std::uint32_t wait_ms =
        accepts_.Take(home_.limits.accepts, std::chrono::steady_clock::now());
    if (wait_ms > 0) {
      return home_.transports.loop.wheel().Arm(*this, absl::Milliseconds(wait_ms));
    }
    acceptor_.async_accept(
        [self = shared_from_this()](error_code error, EdgeStream::Socket socket) {
          self->OnAccept(error, std::move(socket));
        });
  }

  void OnAccept(error_code error, EdgeStream::Socket socket) {
    if (!acceptor_.is_open()) return;
    if (error) {
      // The socket stays in the kernel's queue: accepting at once would spin.
      if (!is_short_) process::LogWarn("cannot accept sockets", {{"error", error.message()}});
      is_short_ = true;
      home_.transports.loop.wheel().Arm(*this, kAcceptPause);
      return;
    }
    is_short_ = false;
    // A polling session comes with up to two connections of its own. Who asks for one session too
    // many is answered.
    if (Open() < 2 * home_.transports.limits.transports) {
      Tune(socket);
      auto tls = home_.tls != nullptr ? std::make_unique<TlsSession>(*home_.tls) : nullptr;
      EdgeStream stream(std::move(socket), std::move(tls));
      if (home_.proxied && home_.proxies.Trusts(stream.peer())) {
        AcceptProxied(home_, std::move(stream));
      } else {
        BeginHttpTalk(home_, std::move(stream));
      }
    }
    Accept();
  }

  std::size_t Open() const {
    return home_.talks.size() + (home_.proxied ? home_.proxied->open.size() : 0);
  }

  void OnTimer() override { Accept(); }

  HttpHome& home_;
  TcpAcceptor acceptor_;
  RateBucket accepts_;
  bool is_short_ = false;  // Of descriptors or memory; said once.
};

Listener::Listener(HttpHome& home) : acceptor_(std::make_shared<Acceptor>(home)) {}

Listener::~Listener() { Close(); }

absl::StatusOr<std::uint16_t> Listener::Open(const std::string& host, std::uint16_t port,
                                             bool is_first) {
  return acceptor_->Open(host, port, is_first);
}

void Listener::Close() { acceptor_->Close(); }

}  // namespace confab::edge
