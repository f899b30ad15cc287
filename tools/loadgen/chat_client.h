// chat_client.h: one user's connection as the stock client makes it: Socket.IO 5 over WebSocket, a
// token, one room. Small, because there are thousands; what they share lies in ClientHome.
// Owns: a socket and what was not read or written of it yet.
// Used by: crowd, handshake_run.
// Threads: confined to the loop. Lives until the loop has ended; is opened again after an end.
// Fails: OnEnded says at which step and why, exactly once for each Open that was not closed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "edge/protocol/json_text.h"
#include "tools/loadgen/chat_words.h"
#include "tools/loadgen/http_answer.h"
#include "tools/loadgen/room_event.h"
#include "tools/loadgen/websocket_client_frame.h"

namespace confab::loadgen {

enum class Stage : uint8_t {
  kClosed,
  kConnecting,
  kUpgrading,
  kOpening,
  kAdmitting,
  kJoining,
  kReady
};

// When each step of a handshake was done, by NowNs().
struct HandshakeTimes {
  int64_t begun = 0;
  int64_t connected = 0;  // TCP.
  int64_t upgraded = 0;   // 101.
  int64_t admitted = 0;   // The token was taken.
  int64_t joined = 0;     // The room's events come from here on.
};

struct Ending {
  Stage stage = Stage::kConnecting;  // Where it stood.
  int status = 0;                    // Of HTTP, if the upgrade was answered with another than 101.
  std::string reason;                // A reason word of the server; empty: it gave none.
  std::string what;                  // For people.
};

class ChatClient;

class ClientEvents {
 public:
  virtual void OnReady(ChatClient& client, int64_t last_seq) = 0;
  // Of the message that was sent with this number.
  virtual void OnAnswer(ChatClient& client, uint64_t number, const Answer& answer, int64_t now) = 0;
  virtual void OnEvent(ChatClient& client, const RoomEvent& event, int64_t now) = 0;
  virtual void OnEnded(ChatClient& client, const Ending& ending) = 0;

 protected:
  ~ClientEvents() = default;
};

// What all clients of a run share.
struct ClientHome {
  ClientHome(boost::asio::io_context& io_context, ClientEvents& client_events);

  boost::asio::io_context& io;
  ClientEvents& events;
  edge::JsonParser json;
  std::vector<char> read_buffer;
  std::string scratch;
  uint32_t mask = 0x5DEECE66;  // The next one; changes with each frame.
};

// Where a client goes and what it shows.
struct Visit {
  boost::asio::ip::tcp::endpoint endpoint;
  boost::asio::ip::address source;  // Unspecified: as the system likes.
  std::string_view host_header;
  std::string_view socket_path;
  std::string token;
  std::string room;
};

class ChatClient {
 public:
  ChatClient(ClientHome& home, uint32_t member);
  ChatClient(const ChatClient&) = delete;
  ChatClient& operator=(const ChatClient&) = delete;

  void Open(Visit visit);  // REQUIRES: closed.
  // Without a word to anybody, by RST: no port waits for what may still come.
  void Close();

  // Written by the next Flush. REQUIRES: is_ready().
  void Send(uint64_t number, std::string_view key, std::string_view content);
  void Flush();

  uint32_t member() const { return member_; }
  Stage stage() const { return stage_; }
  bool is_ready() const { return stage_ == Stage::kReady; }
  const HandshakeTimes& times() const { return times_; }
  std::string_view room() const { return visit_.room; }

 private:
  void AwaitRead();
  void OnReadable();
  void OnConnected();
  bool ReadUpgrade(std::string_view& bytes);
  void ReadFrames(std::string_view bytes);
  void OnFrame(const ServerFrame& frame);
  void OnText(std::string_view text);
  void OnPacket(std::string_view body);
  void OnAck(std::string_view body);
  void OnEventPacket(std::string_view arguments);
  void OnConnectError(std::string_view json);
  void AppendText(std::string_view text) { AppendFrame(FrameKind::kText, text); }
  void AppendFrame(FrameKind kind, std::string_view payload);
  void SendConnect();
  void SendJoin();
  void End(Ending ending);
  void EndWith(std::string what, std::string_view reason = {}) {
    End({.stage = stage_, .status = 0, .reason = std::string(reason), .what = std::move(what)});
  }

  ClientHome& home_;
  const uint32_t member_;
  Stage stage_ = Stage::kClosed;
  bool awaits_write_ = false;
  uint32_t generation_ = 0;  // Of Open and Close: what was awaited before means nothing.
  boost::asio::ip::tcp::socket socket_;
  HandshakeTimes times_;
  Visit visit_;
  std::unique_ptr<HttpAnswerReader> upgrade_;  // While it upgrades.
  std::string in_;                             // What has no end yet.
  std::string fragments_;
  std::string out_;
  std::string farewell_;  // What the server said of the close that it announced.
};

}  // namespace confab::loadgen
