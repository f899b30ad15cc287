// ws_client.h: a small blocking WebSocket client for tests, which can also misbehave.
// Owns: one socket.   Used by: tests/edge.
// Threads: caller serialises.
// Fails: reads answer nullopt at the end of the stream or of the time (5 s unless told).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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
  bool is_ended_ = false;
  std::string buffer_;
  std::string head_;
};

}  // namespace confab::tests
