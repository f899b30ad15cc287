#include "edge/transport/output_layer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <linux/sockios.h>
#include <span>
#include <sys/ioctl.h>
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

OutputLayer::OutputLayer(Owner& owner, TransportHome& home, EdgeStream&& stream, std::string early)
    : owner_(owner),
      loop_(home.loop),
      is_tls_(stream.is_tls()),
      queue_(static_cast<Backlog::Reader&>(*this), home),
      stream_(std::move(stream)) {
  if (!early.empty()) early_ = std::make_unique<std::string>(std::move(early));
}

SendQueue::Taken OutputLayer::Append(const SharedFrame& frame, DeliveryClass delivery) {
  if (has_failed_) return SendQueue::Taken::kQueued;  // The owner knows already.
  const SendQueue::Taken taken = queue_.Append(frame, delivery);
  if (!is_waiting_ || queue_.has_dropped()) loop_.MarkDirty(*this);
  return taken;
}

SendQueue::Taken OutputLayer::AppendBytes(std::string_view bytes, DeliveryClass delivery) {
  return Append(SharedFrame::Copy(bytes), delivery);
}

void OutputLayer::Degrade() {
  if (has_failed_) return;
  queue_.Degrade();
  loop_.MarkDirty(*this);
}

std::size_t OutputLayer::BytesUnderWay() {
  int bytes = 0;
  const bool is_known = ::ioctl(stream_.socket().native_handle(), SIOCOUTQ, &bytes) == 0;
  return is_known && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

ssize_t OutputLayer::WriteSome() {
  if (is_tls_) return WriteRecord();
  const int fd = stream_.socket().native_handle();
  const Outbox& outbox = queue_.outbox();
  if (outbox.frames() > 1 && outbox.bytes() < kCopyBelow * outbox.frames()) {
    const std::size_t size = outbox.CopyTo(copy_buffer);
    return ::send(fd, copy_buffer.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  if (outbox.frames() == 1) {  // The usual case of fan-out: the cheapest call there is.
    std::array<iovec, 1> piece{};
    outbox.Peek(piece);
    return ::send(fd, piece[0].iov_base, piece[0].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  std::array<iovec, kPieces> pieces{};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = outbox.Peek(pieces);
  return ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t OutputLayer::WriteRecord() {
  const Outbox& outbox = queue_.outbox();
  if (outbox.frames() == 1) {
    std::array<iovec, 1> piece{};
    outbox.Peek(piece);
    return stream_.Send({static_cast<const char*>(piece[0].iov_base), piece[0].iov_len});
  }
  const std::size_t size = outbox.CopyTo(std::span(copy_buffer).first(kRecordBytes));
  return stream_.Send({copy_buffer.data(), size});
}

void OutputLayer::Fail() {
  has_failed_ = true;
  owner_.OnWriteFailed();
}

void OutputLayer::Flush() {
  if (has_failed_) return;
  if (queue_.has_dropped()) owner_.OnDropped(queue_.TakeDropped());
  if (is_waiting_) return;
  while (!queue_.empty()) {
    const ssize_t n = WriteSome();
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return WaitWritable();
      return Fail();
    }
    queue_.Consume(static_cast<std::size_t>(n));
    if (queue_.HasRoomAgain()) owner_.OnHasRoom();
  }
  queue_.OnReady();
  if (queue_.HasRoomAgain()) owner_.OnHasRoom();
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
