// edge_stream.h: the byte stream of one client: a TCP socket, with TLS on it or without. Reads and
// writes as Asio's streams do, and writes at once (Send) for the output layer.
// Owns: the socket, the TLS state.   Used by: http_talk, output_layer.
// Threads: confined to the io thread; between two threads it can be moved when no operation waits.
// Fails: by error codes; a TLS failure is boost::asio::error::connection_aborted, and where the peer
// speaks no TLS at all operation_not_supported.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <sys/types.h>
#include <utility>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include "edge/auth/client_address.h"
#include "edge/transport/tls_session.h"

namespace confab::edge {

class EdgeStream {
 public:
  using executor_type = boost::asio::io_context::executor_type;
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor_type>;
  using error_code = boost::system::error_code;

  // `tls` null: plain TCP.
  explicit EdgeStream(Socket&& socket, std::unique_ptr<TlsSession> tls = nullptr)
      : socket_(std::move(socket)), tls_(std::move(tls)) {}

  // A stream off its loop, on its way to another one; closes what nobody takes.
  class Detached {
   public:
    Detached() = default;
    Detached(Detached&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)),
          is_v6_(other.is_v6_),
          tls_(std::move(other.tls_)),
          peer_(std::move(other.peer_)) {}
    Detached& operator=(Detached&&) = delete;
    ~Detached();

   private:
    friend class EdgeStream;
    int fd_ = -1;
    bool is_v6_ = false;
    std::unique_ptr<TlsSession> tls_;
    std::unique_ptr<IpAddress> peer_;
  };
  // REQUIRES: no operation is under way. Nothing but the destructor may follow.
  Detached Detach();
  // On the loop of `executor` from now on. A descriptor it cannot take is closed: the first read
  // fails then.
  EdgeStream(const executor_type& executor, Detached detached);

  Socket& socket() { return socket_; }
  // Who is at the other end: by the socket, or by what the proxy there says. Zeros: it is gone.
  IpAddress peer() const;
  void set_peer(const IpAddress& peer) { peer_ = std::make_unique<IpAddress>(peer); }
  bool is_tls() const { return tls_ != nullptr; }
  executor_type get_executor() { return socket_.get_executor(); }

  // The server's half of the TLS handshake; done at once without TLS. Handler: void(error_code).
  template <class Handler>
  void async_handshake(Handler&& handler) {
    boost::asio::async_compose<Handler, void(error_code)>(HandshakeOp{*this}, handler, socket_);
  }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_ == nullptr) {
      return socket_.async_read_some(buffers, std::forward<Handler>(handler));
    }
    // The first part that has room: a read of some.
    boost::asio::mutable_buffer space;
    for (auto it = boost::asio::buffer_sequence_begin(buffers);
         it != boost::asio::buffer_sequence_end(buffers) && space.size() == 0; ++it) {
      space = *it;
    }
    boost::asio::async_compose<Handler, void(error_code, std::size_t)>(ReadOp{*this, space},
                                                                       handler, socket_);
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_ == nullptr) {
      return socket_.async_write_some(buffers, std::forward<Handler>(handler));
    }
    boost::asio::const_buffer bytes;
    for (auto it = boost::asio::buffer_sequence_begin(buffers);
         it != boost::asio::buffer_sequence_end(buffers) && bytes.size() == 0; ++it) {
      bytes = *it;
    }
    boost::asio::async_compose<Handler, void(error_code, std::size_t)>(WriteOp{*this, bytes},
                                                                       handler, socket_);
  }

  // Like send(2) without blocking: how much was taken, or -1 and errno, EAGAIN if nothing can be
  // taken now. With TLS what was taken may wait here: see has_pending.
  ssize_t Send(std::string_view bytes);
  // Ciphered bytes that wait for the socket to become writable; FlushPending sends what goes.
  bool has_pending() const { return tls_ != nullptr && !tls_->outgoing().empty(); }
  // OK: nothing waits any more. would_block: to be called again when the socket is writable.
  error_code FlushPending();

  // Says goodbye (TLS) and ends our half of the TCP stream, as far as that goes without waiting.
  void ShutDownSending();

 private:
  // What one TLS record holds: more at once gains nothing.
  static constexpr std::size_t kSendBytes = 16 * 1024;

  // Reads without waiting; would_block if there is nothing yet.
  std::size_t ReadNow(std::span<char> space, error_code& error);
  // One step of the handshake; would_block if it waits for the peer or for room to write.
  error_code HandshakeNow();
  error_code ReceiveNow();

  // Each operation tries, waits for the socket, and tries again. The result of a first try that
  // succeeds is handed over by a post: handlers never run within the call that started them.
  struct HandshakeOp {
    EdgeStream& stream;
    bool is_started = false;
    bool is_done = false;
    error_code result{};

    template <class Self>
    void operator()(Self& self, error_code error = {}) {
      if (is_done || error) return self.complete(is_done ? result : error);
      result = stream.HandshakeNow();
      if (result == boost::asio::error::would_block) {
        is_started = true;
        const auto wait = stream.has_pending() ? Socket::wait_write : Socket::wait_read;
        return stream.socket_.async_wait(wait, std::move(self));
      }
      if (is_started) return self.complete(result);
      is_done = true;
      boost::asio::post(stream.get_executor(), std::move(self));
    }
  };

  struct ReadOp {
    EdgeStream& stream;
    boost::asio::mutable_buffer space;
    bool is_started = false;
    bool is_done = false;
    error_code result{};
    std::size_t count = 0;

    template <class Self>
    void operator()(Self& self, error_code error = {}) {
      if (is_done || error) return self.complete(is_done ? result : error, count);
      count = stream.ReadNow(std::span(static_cast<char*>(space.data()), space.size()), result);
      if (result == boost::asio::error::would_block) {
        is_started = true;
        return stream.socket_.async_wait(Socket::wait_read, std::move(self));
      }
      if (is_started) return self.complete(result, count);
      is_done = true;
      boost::asio::post(stream.get_executor(), std::move(self));
    }
  };

  // Completes when everything ciphered was handed to the kernel.
  struct WriteOp {
    EdgeStream& stream;
    boost::asio::const_buffer bytes;
    bool is_started = false;
    bool is_done = false;
    bool is_taken = false;
    error_code result{};
    std::size_t count = 0;

    template <class Self>
    void operator()(Self& self, error_code error = {}) {
      if (is_done || error) return self.complete(is_done ? result : error, count);
      Try();
      if (result == boost::asio::error::would_block) {
        is_started = true;
        return stream.socket_.async_wait(Socket::wait_write, std::move(self));
      }
      if (is_started) return self.complete(result, count);
      is_done = true;
      boost::asio::post(stream.get_executor(), std::move(self));
    }

    void Try() {
      result = stream.FlushPending();
      if (result || is_taken) return;
      count = std::min(bytes.size(), kSendBytes);
      is_taken = true;
      if (!stream.tls_->Write({static_cast<const char*>(bytes.data()), count})) {
        result = boost::asio::error::connection_aborted;
        return;
      }
      result = stream.FlushPending();
    }
  };

  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
  std::unique_ptr<IpAddress> peer_;  // Null: as the socket says.
};

}  // namespace confab::edge
