// ws_client.h: a small blocking WebSocket client for tests, with TLS or without, which can also
// misbehave.
// Owns: one socket.   Used by: tests/edge.
// Threads: caller serialises.
// Fails: reads answer nullopt at the end of the stream or of the time (5 s unless told).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ssl_st;

namespace confab::tests {

class WsClient {
 public:
  static constexpr std::chrono::milliseconds kPatience{5000};

  struct Frame {
    bool is_final = true;
    int opcode = 0;  // 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    std::string payload;
  };

  // A TCP connection to "127.0.0.1:PORT", nothing sent.
  explicit WsClient(const std::string& address, int receive_buffer = 0);
  // The same with the TLS handshake done, trusting `ca_file` alone; is_secure() says whether it
  // went well.
  static WsClient OverTls(const std::string& address, const std::string& ca_file,
                          int receive_buffer = 0);
  void ShakeHands(const std::string& ca_file);  // On a connection that has sent nothing yet.
  ~WsClient();
  WsClient(WsClient&& other) noexcept;
  WsClient(const WsClient&) = delete;
  WsClient& operator=(const WsClient&) = delete;

  // Sends the upgrade request (`headers`: further lines, each with \r\n) and reads the answer's
  // head. Returns the status code, 0 if there was no answer.
  int Upgrade(const std::string& target, const std::string& headers = "");
  static std::string UpgradeRequest(const std::string& target, const std::string& headers = "");
  const std::string& head() const { return head_; }  // Of the last HTTP answer.

  // False: the peer does not take any more.
  bool SendRaw(std::string_view bytes);
  bool is_secure() const { return tls_ != nullptr; }
  // What TLS knows of the peer's certificate: its common name.
  std::string peer_name() const;
  // The stream has ended with a goodbye of TLS.
  bool has_goodbye() const { return has_goodbye_; }
  // Records of TLS that arrived, with data in them as far as one can see from without.
  int data_records() const { return *data_records_; }
  bool SendText(std::string_view text) { return SendRaw(MakeFrame(1, text)); }
  bool SendBinary(std::string_view bytes) { return SendRaw(MakeFrame(2, bytes)); }
  static std::string MakeFrame(int opcode, std::string_view payload, bool is_final = true);

  int ReadStatus(std::chrono::milliseconds patience = kPatience);  // Of an HTTP answer.
  // The body of the answer whose head was read last, by its Content-Length.
  std::string ReadBody(std::chrono::milliseconds patience = kPatience);
  std::string ReadToEnd(std::chrono::milliseconds patience = kPatience);
  std::optional<Frame> ReadFrame(std::chrono::milliseconds patience = kPatience);
  // The next text or binary message; pings and pongs are passed over.
  std::optional<std::string> Read(std::chrono::milliseconds patience = kPatience);
  // Passes over messages until one holds `part`.
  std::optional<std::string> ReadUntil(std::string_view part,
                                       std::chrono::milliseconds patience = kPatience);
  // Reads on to the close frame: its code, 1005 without one, 1006 if the stream just ended; nullopt:
  // still open.
  std::optional<int> ReadClose(std::chrono::milliseconds patience = kPatience);

 private:
  bool Fill(std::chrono::steady_clock::time_point until);

  int fd_ = -1;
  ssl_st* tls_ = nullptr;
  bool has_goodbye_ = false;
  std::unique_ptr<int> data_records_ = std::make_unique<int>(0);
  bool is_ended_ = false;
  std::string buffer_;
  std::string head_;
};

}  // namespace confab::tests
