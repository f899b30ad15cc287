#include "edge/transport/edge_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace confab::edge {

namespace net = boost::asio;

EdgeStream::Detached::~Detached() {
  if (fd_ >= 0) ::close(fd_);
}

EdgeStream::Detached EdgeStream::Detach() {
  Detached detached;
  error_code error;
  detached.is_v6_ = socket_.local_endpoint(error).protocol() == net::ip::tcp::v6();
  detached.tls_ = std::move(tls_);
  detached.peer_ = std::move(peer_);
  const int fd = socket_.release(error);
  if (!error) detached.fd_ = fd;
  return detached;
}

EdgeStream::EdgeStream(const executor_type& executor, Detached detached)
    : socket_(executor), tls_(std::move(detached.tls_)), peer_(std::move(detached.peer_)) {
  error_code error;
  socket_.assign(detached.is_v6_ ? net::ip::tcp::v6() : net::ip::tcp::v4(), detached.fd_, error);
  if (!error) detached.fd_ = -1;
}

IpAddress EdgeStream::peer() const {
  namespace ip = net::ip;
  if (peer_ != nullptr) return *peer_;
  error_code error;
  const ip::address peer = socket_.remote_endpoint(error).address();
  if (error) return {};
  return {.bytes = peer.is_v6() ? peer.to_v6().to_bytes()
                                : ip::make_address_v6(ip::v4_mapped, peer.to_v4()).to_bytes()};
}

EdgeStream::error_code EdgeStream::FlushPending() {
  while (has_pending()) {
    const std::string_view bytes = tls_->outgoing();
    const ssize_t n =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return net::error::would_block;
      return {errno, boost::system::system_category()};
    }
    tls_->Consume(static_cast<std::size_t>(n));
  }
  return {};
}

ssize_t EdgeStream::Send(std::string_view bytes) {
  if (tls_ == nullptr) {
    return ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  // What was ciphered goes out first, so that never more than one record waits here.
  if (const error_code error = FlushPending()) {
    errno = error == net::error::would_block ? EAGAIN : EPIPE;
    return -1;
  }
  bytes = bytes.substr(0, kSendBytes);
  if (!tls_->Write(bytes)) {
    errno = EPIPE;
    return -1;
  }
  if (const error_code error = FlushPending(); error && error != net::error::would_block) {
    errno = EPIPE;
    return -1;
  }
  return static_cast<ssize_t>(bytes.size());
}

EdgeStream::error_code EdgeStream::ReceiveNow() {
  std::array<char, kSendBytes> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled.
  for (;;) {
    const ssize_t n = ::recv(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n > 0) {
      tls_->Feed(std::span(bytes.data(), static_cast<std::size_t>(n)));
      return {};
    }
    if (n == 0) return net::error::eof;
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return net::error::would_block;
    return {errno, boost::system::system_category()};
  }
}

std::size_t EdgeStream::ReadNow(std::span<char> space, error_code& error) {
  for (;;) {
    std::size_t count = 0;
    const TlsSession::Step step = tls_->Read(space, count);
    // Answers of TLS itself (a key update). What does not go now goes with the next Send.
    if (has_pending()) FlushPending();
    switch (step) {
      case TlsSession::Step::kDone:
        error = {};
        return count;
      case TlsSession::Step::kClosed:
        error = net::error::eof;
        return 0;
      case TlsSession::Step::kNoTls:
      case TlsSession::Step::kFailed:
        error = net::error::connection_aborted;
        return 0;
      case TlsSession::Step::kWantsInput:
        break;
    }
    error = ReceiveNow();
    if (error) return 0;
  }
}

EdgeStream::error_code EdgeStream::HandshakeNow() {
  if (tls_ == nullptr) return {};
  for (;;) {
    const TlsSession::Step step = tls_->Handshake();
    const error_code flushed = FlushPending();  // An alert too, if it failed.
    if (step == TlsSession::Step::kNoTls) return net::error::operation_not_supported;
    if (step == TlsSession::Step::kFailed || step == TlsSession::Step::kClosed) {
      return net::error::connection_aborted;
    }
    if (flushed || step == TlsSession::Step::kDone) return flushed;
    if (const error_code received = ReceiveNow()) return received;
  }
}

void EdgeStream::ShutDownSending() {
  if (tls_ != nullptr) {
    tls_->SayClosed();
    FlushPending();
  }
  error_code ignored;
  socket_.shutdown(net::socket_base::shutdown_send, ignored);
}

}  // namespace confab::edge
