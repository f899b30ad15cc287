// chat_words.h: what a Socket.IO client of the default dialect says and hears, as text. What both
// ends write alike comes from edge/protocol.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace confab::loadgen {

// The HTTP request that becomes a WebSocket.
void AppendUpgradeRequest(std::string_view host_header, std::string_view path, std::string& out);

// Engine.IO text messages. CONNECT shows the token and asks for the dialect `confab`, whatever an
// edge's own is.
void AppendConnectPacket(std::string_view token, std::string& out);
void AppendJoinPacket(std::string_view room, uint64_t ack_id, std::string& out);

struct OutgoingMessage {
  std::string_view room;
  std::string_view key;  // clientMsgId
  std::string_view content;
};
void AppendMessagePacket(const OutgoingMessage& message, uint64_t ack_id, std::string& out);

// The acknowledgement of a command.
struct Answer {
  bool is_ok = false;
  int64_t seq = 0;       // sendMessage
  int64_t last_seq = 0;  // joinRoom
  std::string_view reason;
  std::string_view message;
  bool is_retryable = false;
  int64_t retry_after_ms = 0;
};

// The arguments of an acknowledgement. Its words are views into `json`.
Answer ReadAnswer(const boost::json::value* json);

// {"message":…,"data":{"reason":…}}; what is not there leaves its text as it is.
void ReadConnectError(const boost::json::value& json, std::string& reason, std::string& what);

// The payload of a close frame, for people.
std::string CloseText(std::string_view payload);

// The reason word in it; empty: it has none.
std::string CloseReasonIn(std::string_view payload);

// The value of the first member `reason` of a JSON text; empty: it has none.
std::string ReasonIn(std::string_view json);

}  // namespace confab::loadgen
