#include "tests/support/ws_client.h"

#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace confab::tests {

namespace {
using Clock = std::chrono::steady_clock;
}  // namespace

WsClient::WsClient(const std::string& address, int receive_buffer) {
  const std::size_t colon = address.rfind(':');
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)));
  ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &peer.sin_addr);
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  is_ended_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)) != 0;
}

WsClient WsClient::OverTls(const std::string& address, const std::string& ca_file,
                           int receive_buffer) {
  WsClient client(address, receive_buffer);
  client.ShakeHands(ca_file);
  return client;
}

void WsClient::ShakeHands(const std::string& ca_file) {
  SSL_CTX* trust = SSL_CTX_new(TLS_client_method());
  SSL_CTX_load_verify_locations(trust, ca_file.c_str(), nullptr);
  SSL_CTX_set_verify(trust, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_clear_mode(trust, SSL_MODE_AUTO_RETRY);  // Reads come back where a record is no data.
  std::signal(SIGPIPE, SIG_IGN);                   // OpenSSL writes without a word against it.
  tls_ = SSL_new(trust);
  SSL_CTX_free(trust);  // tls_ keeps its share.
  SSL_set_fd(tls_, fd_);
  SSL_set_msg_callback(
      tls_, [](int is_sent, int, int kind, const void* bytes, size_t, SSL*, void* count) {
        constexpr char kApplicationData = 23;
        if (is_sent != 0 || kind != SSL3_RT_HEADER) return;
        if (*static_cast<const char*>(bytes) == kApplicationData) ++*static_cast<int*>(count);
      });
  SSL_set_msg_callback_arg(tls_, data_records_.get());
  if (SSL_connect(tls_) == 1) return;
  SSL_free(tls_);
  tls_ = nullptr;
}

std::string WsClient::peer_name() const {
  if (!is_secure()) return "";
  X509* shown = SSL_get1_peer_certificate(tls_);
  std::array<char, 128> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name.data(), name.size());
  X509_free(shown);
  return name.data();
}

WsClient::~WsClient() {
  SSL_free(tls_);
  if (fd_ >= 0) ::close(fd_);
}

WsClient::WsClient(WsClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      tls_(std::exchange(other.tls_, nullptr)),
      data_records_(std::move(other.data_records_)),
      is_ended_(other.is_ended_),
      buffer_(std::move(other.buffer_)),
      head_(std::move(other.head_)) {}

std::string WsClient::UpgradeRequest(const std::string& target, const std::string& headers) {
  return "GET " + target +
         " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         headers + "\r\n";
}

int WsClient::Upgrade(const std::string& target, const std::string& headers) {
  SendRaw(UpgradeRequest(target, headers));
  return ReadStatus();
}

bool WsClient::SendRaw(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(kPatience.count())) <= 0) return false;
    const ssize_t n = is_secure()
                          ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                          : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 || (n == 0 && is_secure())) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string WsClient::MakeFrame(int opcode, std::string_view payload, bool is_final) {
  std::string frame;
  frame += static_cast<char>((is_final ? 0x80 : 0) | opcode);
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else {
    const int bytes = payload.size() <= 0xffff ? 2 : 8;
    frame += static_cast<char>(0x80 | (bytes == 2 ? 126 : 127));
    for (int i = bytes - 1; i >= 0; --i) {
      frame += static_cast<char>(payload.size() >> (8 * i) & 0xff);
    }
  }
  constexpr std::array<char, 4> kMask = {0x11, 0x22, 0x33, 0x44};
  frame.append(kMask.data(), kMask.size());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(payload[i] ^ kMask[i % kMask.size()]);
  }
  return frame;
}

bool WsClient::Fill(Clock::time_point until) {
  while (!is_ended_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    const int wait_ms = left.count() > 0 ? static_cast<int>(left.count()) : 0;
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    const bool is_here = is_secure() && SSL_pending(tls_) > 0;
    if (!is_here && ::poll(&ready, 1, wait_ms) <= 0) return false;
    std::array<char, 16384> bytes;
    const ssize_t n = is_secure() ? SSL_read(tls_, bytes.data(), bytes.size())
                                  : ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (n > 0) {
      buffer_.append(bytes.data(), static_cast<std::size_t>(n));
      return true;
    }
    const int why = is_secure() ? SSL_get_error(tls_, static_cast<int>(n)) : SSL_ERROR_SYSCALL;
    has_goodbye_ = why == SSL_ERROR_ZERO_RETURN;
    is_ended_ = why != SSL_ERROR_WANT_READ;
  }
  return false;
}

int WsClient::ReadStatus(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill(until)) return 0;
  }
  head_ = buffer_.substr(0, end);
  buffer_.erase(0, end + 4);
  return head_.size() > 12 ? std::atoi(head_.c_str() + 9) : 0;
}

std::string WsClient::ReadBody(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t at = head_.find(kLength);
  if (at == std::string::npos) return "";
  const auto size = static_cast<std::size_t>(std::atoi(head_.c_str() + at + kLength.size()));
  while (buffer_.size() < size) {
    if (!Fill(until)) return "";
  }
  std::string body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return body;
}

std::string WsClient::ReadToEnd(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  while (Fill(until)) {
  }
  return std::exchange(buffer_, std::string());
}

std::optional<WsClient::Frame> WsClient::ReadFrame(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  const auto need = [&](std::size_t size) {
    while (buffer_.size() < size) {
      if (!Fill(until)) return false;
    }
    return true;
  };
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(buffer_[at]); };
  if (!need(2)) return std::nullopt;
  std::size_t size = byte(1) & 0x7f;
  std::size_t head = 2;
  if (size >= 126) {
    head = size == 126 ? 4 : 10;
    if (!need(head)) return std::nullopt;
    size = 0;
    for (std::size_t i = 2; i < head; ++i) size = size << 8 | byte(i);
  }
  if (!need(head + size)) return std::nullopt;
  Frame frame{.is_final = (byte(0) & 0x80) != 0,
              .opcode = byte(0) & 0x0f,
              .payload = buffer_.substr(head, size)};
  buffer_.erase(0, head + size);
  return frame;
}

std::optional<std::string> WsClient::Read(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    std::optional<Frame> frame = ReadFrame(left);
    if (!frame || frame->opcode == 8) return std::nullopt;
    if (frame->opcode <= 2) return std::move(frame->payload);
  }
}

std::optional<std::string> WsClient::ReadUntil(std::string_view part,
                                               std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    std::optional<std::string> message = Read(left);
    if (!message || message->find(part) != std::string::npos) return message;
  }
}

std::optional<int> WsClient::ReadClose(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    const std::optional<Frame> frame = ReadFrame(left);
    if (!frame) return is_ended_ ? std::optional<int>(1006) : std::nullopt;
    if (frame->opcode != 8) continue;
    if (frame->payload.size() < 2) return 1005;
    return static_cast<unsigned char>(frame->payload[0]) << 8 |
           static_cast<unsigned char>(frame->payload[1]);
  }
}

}  // namespace confab::tests
