#include "edge/transport/output_layer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <sys/socket.h>

namespace confab::edge {

namespace {

// Frames smaller than this are copied together: cheaper than a list of pieces for the kernel.
constexpr std::size_t kCopyBelow = 2048;
constexpr std::size_t kCopyBytes = 64 * 1024;
constexpr std::size_t kPieces = 64;
// What one record of TLS holds: small frames share one, large ones fill several.
constexpr std::size_t kRecordBytes = 16 * 1024;

// One for each io thread, however many sockets.
thread_local std::array<char, kCopyBytes> copy_buffer;

}  // namespace

OutputLayer::OutputLayer(Owner& owner, EventLoop& loop, EdgeStream&& stream, std::string early,
                         std::size_t outbox_bytes_limit)
    : owner_(owner),
      loop_(loop),
      is_tls_(stream.is_tls()),
      outbox_(outbox_bytes_limit),
      stream_(std::move(stream)) {
  if (!early.empty()) early_ = std::make_unique<std::string>(std::move(early));
}

OutputLayer::~OutputLayer() { loop_.AddQueuedBytes(-static_cast<std::ptrdiff_t>(outbox_.bytes())); }

bool OutputLayer::Append(const SharedFrame& frame, DeliveryClass delivery) {
  if (has_failed_) return true;  // The owner knows already.
  if (!outbox_.Append(frame, delivery)) return false;
  loop_.AddQueuedBytes(static_cast<std::ptrdiff_t>(frame.size()));
  if (!is_waiting_) loop_.MarkDirty(*this);
  return true;
}

bool OutputLayer::AppendBytes(std::string_view bytes, DeliveryClass delivery) {
  return Append(SharedFrame::Copy(bytes), delivery);
}

void OutputLayer::DropUnsent() {
  const std::size_t before = outbox_.bytes();
  outbox_.DropUnsent();
  loop_.AddQueuedBytes(static_cast<std::ptrdiff_t>(outbox_.bytes()) -
                       static_cast<std::ptrdiff_t>(before));
}

bool OutputLayer::HasRoomBelow(std::size_t bytes) {
  if (outbox_.bytes() < bytes) return true;
  room_wanted_ = std::max(room_wanted_, static_cast<std::uint32_t>(bytes));
  return false;
}

ssize_t OutputLayer::WriteSome() {
  if (is_tls_) return WriteRecord();
  const int fd = stream_.socket().native_handle();
  if (outbox_.frames() > 1 && outbox_.bytes() < kCopyBelow * outbox_.frames()) {
    const std::size_t size = outbox_.CopyTo(copy_buffer);
    return ::send(fd, copy_buffer.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  if (outbox_.frames() == 1) {  // The usual case of fan-out: the cheapest call there is.
    std::array<iovec, 1> piece{};
    outbox_.Peek(piece);
    return ::send(fd, piece[0].iov_base, piece[0].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  std::array<iovec, kPieces> pieces{};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = outbox_.Peek(pieces);
  return ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t OutputLayer::WriteRecord() {
  if (outbox_.frames() == 1) {
    std::array<iovec, 1> piece{};
    outbox_.Peek(piece);
    return stream_.Send({static_cast<const char*>(piece[0].iov_base), piece[0].iov_len});
  }
  const std::size_t size = outbox_.CopyTo(std::span(copy_buffer).first(kRecordBytes));
  return stream_.Send({copy_buffer.data(), size});
}

void OutputLayer::Fail() {
  has_failed_ = true;
  owner_.OnWriteFailed();
}

void OutputLayer::Flush() {
  if (is_waiting_ || has_failed_) return;
  while (!outbox_.empty()) {
    const ssize_t n = WriteSome();
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return WaitWritable();
      return Fail();
    }
    outbox_.Consume(static_cast<std::size_t>(n));
    loop_.AddQueuedBytes(-n);
    if (outbox_.bytes() < room_wanted_) {
      room_wanted_ = 0;
      owner_.OnHasRoom();
    }
  }
  if (is_tls_) {
    const error_code error = stream_.FlushPending();
    if (error == boost::asio::error::would_block) return WaitWritable();
    if (error) return Fail();
  }
  owner_.OnEmptied();
}

void OutputLayer::WaitWritable() {
  is_waiting_ = true;
  stream_.socket().async_wait(Socket::wait_write,
                              [this, alive = owner_.KeepAlive()](const error_code& error) {
                                is_waiting_ = false;
                                if (!error) Flush();
                              });
}

}  // namespace confab::edge
