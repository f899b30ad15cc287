// output_layer.h: the layer below Beast's websocket::stream. It owns the only output queue: what
// Beast writes (handshake, pongs, close) and pre-framed shared frames stand in one order, and all
// that gathered in a turn of the loop goes out in one system call; with TLS, in few records.
// Owns: the stream, the queue.   Used by: websocket_transport alone.
// Threads: confined to the io thread.
// Fails: as the queue; a broken socket is told to the owner, once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>

#include "edge/transport/edge_stream.h"
#include "edge/transport/event_loop.h"
#include "edge/transport/send_queue.h"

namespace confab::edge {

class OutputLayer final : private EventLoop::Flushable, private Backlog::Reader {
 public:
  using executor_type = EdgeStream::executor_type;
  using Socket = EdgeStream::Socket;
  using error_code = boost::system::error_code;

  class Owner {
   public:
    virtual std::shared_ptr<void> KeepAlive() = 0;
    virtual void OnWriteFailed() = 0;
    virtual void OnHasRoom() = 0;  // After HasRoom or HasRoomBelow was false.
    // Logged frames were dropped.
    virtual void OnDropped(std::vector<Dropped> dropped) = 0;
    // The peer has taken nothing for too long. May be told again.
    virtual void OnPeerStalled() = 0;
    virtual void OnEmptied() = 0;  // Everything was handed to the kernel.

   protected:
    virtual ~Owner() = default;
  };

  // `early` are bytes the peer sent behind its upgrade request: they are read first.
  OutputLayer(Owner& owner, TransportHome& home, EdgeStream&& stream, std::string early);

  SendQueue::Taken Append(const SharedFrame& frame, DeliveryClass delivery);
  SendQueue::Taken AppendBytes(std::string_view bytes, DeliveryClass delivery);
  // Forgets what waits, but not the rest of a frame whose beginning is gone already.
  void DropUnsent() { queue_.DropUnsent(); }
  // Drops what may go, for lack of memory.
  void Degrade();
  std::size_t waiting_bytes() const { return queue_.bytes(); }
  // Writes now what can be written now.
  void Flush() override;
  bool HasRoom() { return queue_.HasRoom(); }
  bool HasRoomBelow(std::size_t bytes) { return queue_.HasRoomBelow(bytes); }
  bool empty() const { return queue_.empty() && !(is_tls_ && stream_.has_pending()); }

  // How often Beast asked for bytes since the last call of ResetReads: bounds what a peer can make
  // us read without ever completing a message (Beast swallows empty fragments itself).
  void ResetReads() { reads_ = 0; }

  void Prefetch() const { EventLoop::Flushable::Prefetch(); }

  Socket& socket() { return stream_.socket(); }
  bool is_tls() const { return is_tls_; }
  // After the last frame: says goodbye (TLS) and ends our half of the TCP stream.
  void ShutDownSending() { stream_.ShutDownSending(); }

  // What Beast asks of a layer.
  EdgeStream& next_layer() { return stream_; }
  const EdgeStream& next_layer() const { return stream_; }
  executor_type get_executor() { return stream_.get_executor(); }

  template <class Buffers, class ReadHandler>
  void async_read_some(const Buffers& buffers, ReadHandler&& handler) {
    if (++reads_ > kReadsLimit) {
      Complete(boost::asio::error::message_size, 0, std::forward<ReadHandler>(handler));
    } else if (early_ != nullptr) {
      const std::size_t n = boost::asio::buffer_copy(buffers, boost::asio::buffer(*early_));
      early_->erase(0, n);
      if (early_->empty()) early_.reset();
      Complete({}, n, std::forward<ReadHandler>(handler));
    } else {
      stream_.async_read_some(buffers, std::forward<ReadHandler>(handler));
    }
  }

  // Takes everything at once, so that a control frame is never torn apart by a shared frame.
  template <class Buffers, class WriteHandler>
  void async_write_some(const Buffers& buffers, WriteHandler&& handler) {
    const std::size_t size = boost::asio::buffer_size(buffers);
    std::string bytes(size, '\0');
    boost::asio::buffer_copy(boost::asio::buffer(bytes), buffers);
    const bool is_taken = AppendBytes(bytes, DeliveryClass::kControl) == SendQueue::Taken::kQueued;
    Complete(is_taken ? error_code() : error_code(boost::asio::error::no_buffer_space),
             is_taken ? size : 0, std::forward<WriteHandler>(handler));
  }

 private:
  // A 64 KiB message in the smallest sensible segments (16 bytes).
  static constexpr int kReadsLimit = 4096;

  template <class CompletionHandler>
  void Complete(error_code error, std::size_t n, CompletionHandler&& handler) {
    boost::asio::post(get_executor(), boost::beast::bind_front_handler(
                                          std::forward<CompletionHandler>(handler), error, n));
  }

  ssize_t WriteSome();
  ssize_t WriteRecord();
  void Fail();
  void WaitWritable();
  std::size_t BytesUnderWay() override;
  void OnStalled() override { owner_.OnPeerStalled(); }

  // What a delivery touches stands first, on three cache lines.
  Owner& owner_;
  EventLoop& loop_;
  int reads_ = 0;
  bool is_waiting_ = false;  // For the socket to become writable.
  bool has_failed_ = false;
  const bool is_tls_;  // Of stream_, whose own word stands on a colder line.
  SendQueue queue_;
  EdgeStream stream_;
  std::unique_ptr<std::string> early_;
};

// The closing handshake is done, or given up: what is queued goes out, the rest (shutdown, waiting
// for the peer) is the transport's.
template <class TeardownHandler>
void async_teardown(boost::beast::role_type, OutputLayer& layer, TeardownHandler&& handler) {
  layer.Flush();
  boost::asio::post(layer.get_executor(),
                    boost::beast::bind_front_handler(std::forward<TeardownHandler>(handler),
                                                     boost::system::error_code()));
}

// For Beast, which asks it of the lowest layer.
inline void beast_close_socket(EdgeStream& stream) {
  boost::system::error_code ignored;
  stream.socket().close(ignored);
}

}  // namespace confab::edge
