// socketio_codec.h: Socket.IO v5 packets, the body of Engine.IO messages.
// Owns: nothing; decoded packets are views into the frame and into the JsonParser.
// Used by: connection, hub (prefix of a room event).   Threads: pure functions.
// Fails: INVALID_ARGUMENT for what closes the connection (PROTOCOL.md section 2, "bad packets").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <boost/json/value.hpp>

#include "confab/v1/types.pb.h"

#include "edge/protocol/json_text.h"

namespace confab::edge {

// Namespaces are named by programs; a longer one is no name, and it would be sent back whole.
inline constexpr std::size_t kSocketIoNamespaceBytesLimit = 128;

// Binary arguments of one packet: as many as the newest reference takes.
inline constexpr std::size_t kSocketIoAttachmentsLimit = 10;

enum class SocketIoType : char {
  kConnect = '0',
  kDisconnect = '1',
  kEvent = '2',
  kAck = '3',
  kConnectError = '4',
  kBinaryEvent = '5',
  kBinaryAck = '6',
};

// A packet from a client. Views live as long as the frame, `json` until the parser's next Parse.
struct SocketIoPacket {
  SocketIoType type = SocketIoType::kEvent;
  std::string_view nsp = "/";      // The whole name, nothing is cut off at a '?'.
  std::optional<uint64_t> ack_id;  // EVENT: an answer is wanted. ACK: what it answers.
  std::string_view payload;        // The JSON text as it came; empty if there is none.
  // BINARY_EVENT and BINARY_ACK: so many binary messages follow. Each is named by at most one
  // placeholder of the payload, {"_placeholder":true,"num":0}, and no placeholder by another number.
  std::size_t attachments = 0;
  // The payload, parsed. CONNECT: an object or null. EVENT and ACK: an array, or null (a packet
  // without payload, which is to be ignored, or an unreadable one).
  const boost::json::value* json = nullptr;
  // EVENT: its name; empty if the client wrote a number there (which is legal and means nothing).
  std::string_view event;
  // Events only, else empty: the packet stands, but its JSON is beyond what we read (too deep, half
  // a surrogate pair). To be refused as BAD_REQUEST with this text; nothing is closed.
  std::string unreadable;

  bool has_payload() const { return !payload.empty(); }
};

// Decodes the body of one Engine.IO message. INVALID_ARGUMENT: the whole connection is to be
// closed; the message says why.
absl::Status DecodeSocketIo(std::string_view body, JsonParser& parser, SocketIoPacket& packet);

// The encoders append a whole Engine.IO text frame (leading '4' included) to `out`.

// "40{"sid":"…"}": the namespace is joined. `sid` is not the engine's. With a `pid`, by which the
// client has its session back when it was lost: "40{"sid":"…","pid":"…"}".
void AppendSocketIoConnect(std::string_view nsp, std::string_view sid, std::string_view pid,
                           std::string& out);

// "44{"message":"…","data":{"reason":…,"message":…,"retryable":…}}": refused for good, the stock
// client does not come back by itself.
void AppendSocketIoConnectError(std::string_view nsp, const v1::Error& error, std::string& out);

// "44/nsp,{"message":"Invalid namespace"}".
void AppendSocketIoInvalidNamespace(std::string_view nsp, std::string& out);

// "41": the namespace is left; the stock client does not come back by itself.
void AppendSocketIoDisconnect(std::string_view nsp, std::string& out);

// "42" and "43<ack_id>": what stands before the JSON array of an event or of an ack's arguments.
void AppendSocketIoEventPrefix(std::string_view nsp, std::string& out);
void AppendSocketIoAckPrefix(std::string_view nsp, uint64_t ack_id, std::string& out);

// "452-" and "462-<ack_id>": the same for a packet that so many binary messages follow.
void AppendSocketIoBinaryEventPrefix(std::string_view nsp, std::size_t attachments,
                                     std::string& out);
void AppendSocketIoBinaryAckPrefix(std::string_view nsp, std::size_t attachments, uint64_t ack_id,
                                   std::string& out);

// {"reason":"NOT_A_MEMBER","message":"…","retryable":false,"retryAfterMs":…}: a refusal as every
// JSON client sees it; retryAfterMs only if there is one.
void AppendErrorObject(const v1::Error& error, std::string& out);

}  // namespace confab::edge
