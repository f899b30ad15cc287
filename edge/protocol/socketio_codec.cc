#include "edge/protocol/socketio_codec.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <absl/status/statusor.h>

#include "edge/protocol/engineio_codec.h"
#include "proto/reason.h"

namespace confab::edge {
namespace {

namespace json = boost::json;

// Names no client may emit: they are the client's own life-cycle events.
constexpr std::array<std::string_view, 6> kReservedEvents = {
    "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"};

// Namespaces are named by programs; a longer one is no name, and it would be sent back whole.
constexpr size_t kNamespaceBytesLimit = 128;

absl::Status Bad(const char* what) { return absl::InvalidArgumentError(what); }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes "/name," off the front.
absl::Status TakeNamespace(std::string_view& rest, std::string_view& nsp) {
  if (rest.empty() || rest.front() != '/') return absl::OkStatus();
  const size_t comma = rest.find(',');
  nsp = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  if (nsp.size() > kNamespaceBytesLimit) return Bad("namespace longer than 128 bytes");
  return absl::OkStatus();
}

// Takes the digits of an ack id off the front.
absl::Status TakeAckId(std::string_view& rest, std::optional<uint64_t>& ack_id) {
  const size_t digits =
      static_cast<size_t>(std::find_if_not(rest.begin(), rest.end(), IsDigit) - rest.begin());
  if (digits == 0) return absl::OkStatus();
  if (digits > 1 && rest.front() == '0') return Bad("ack id with leading zero");
  uint64_t id = 0;
  const auto result = std::from_chars(rest.data(), rest.data() + digits, id);
  if (result.ec != std::errc()) return Bad("ack id beyond 64 bits");
  ack_id = id;
  rest.remove_prefix(digits);
  return absl::OkStatus();
}

absl::Status CheckEvent(SocketIoPacket& packet) {
  const json::array* items = packet.json->if_array();
  if (items == nullptr || items->empty())
    return Bad("the payload of an event is a non-empty array");
  const json::value& name = items->front();
  if (name.is_number()) return absl::OkStatus();
  if (!name.is_string()) return Bad("an event's name is a string or a number");
  packet.event = {name.get_string().data(), name.get_string().size()};
  if (std::find(kReservedEvents.begin(), kReservedEvents.end(), packet.event) !=
      kReservedEvents.end()) {
    return Bad("reserved event name");
  }
  return absl::OkStatus();
}

absl::Status CheckPayload(SocketIoPacket& packet) {
  switch (packet.type) {
    case SocketIoType::kConnect:
      return packet.json->is_object() ? absl::OkStatus()
                                      : Bad("CONNECT carries an object or nothing");
    case SocketIoType::kEvent:
      return CheckEvent(packet);
    case SocketIoType::kAck:
      return packet.json->is_array() ? absl::OkStatus() : Bad("the payload of an ack is an array");
    case SocketIoType::kDisconnect:
    case SocketIoType::kConnectError:
    case SocketIoType::kBinaryEvent:
    case SocketIoType::kBinaryAck:
      break;
  }
  return Bad("packet with a payload it must not have");
}

void AppendHead(SocketIoType type, std::string_view nsp, std::string& out) {
  out.push_back(kEngineIoMessage);
  out.push_back(static_cast<char>(type));
  if (nsp != "/") {
    out.append(nsp);
    out.push_back(',');
  }
}

}  // namespace

absl::Status DecodeSocketIo(std::string_view body, JsonParser& parser, SocketIoPacket& packet) {
  packet = SocketIoPacket();
  if (body.empty()) return Bad("empty Socket.IO packet");
  const char type = body.front();
  if (type < '0' || type > '6') return Bad("unknown Socket.IO packet type");
  packet.type = static_cast<SocketIoType>(type);
  if (packet.type == SocketIoType::kBinaryEvent || packet.type == SocketIoType::kBinaryAck) {
    return Bad("binary attachments are not supported");
  }
  if (packet.type == SocketIoType::kConnectError) return Bad("CONNECT_ERROR from a client");

  std::string_view rest = body.substr(1);
  if (absl::Status status = TakeNamespace(rest, packet.nsp); !status.ok()) return status;
  if (absl::Status status = TakeAckId(rest, packet.ack_id); !status.ok()) return status;
  const bool may_have_id = packet.type == SocketIoType::kEvent || packet.type == SocketIoType::kAck;
  if (packet.ack_id && !may_have_id) return Bad("ack id on a packet that has none");
  packet.payload = rest;
  if (rest.empty()) return absl::OkStatus();
  if (packet.type == SocketIoType::kDisconnect) return Bad("DISCONNECT carries no payload");

  absl::StatusOr<const json::value*> parsed = parser.Parse(rest);
  if (parsed.ok()) {
    packet.json = *parsed;
    return CheckPayload(packet);
  }
  if (packet.type == SocketIoType::kEvent && absl::IsOutOfRange(parsed.status())) {
    packet.unreadable = std::string(parsed.status().message());
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(parsed.status().message());
}

void AppendSocketIoConnect(std::string_view nsp, std::string_view sid, std::string& out) {
  AppendHead(SocketIoType::kConnect, nsp, out);
  out.append(R"({"sid":)");
  AppendJsonString(sid, out);
  out.push_back('}');
}

void AppendSocketIoConnectError(std::string_view nsp, const v1::Error& error, std::string& out) {
  AppendHead(SocketIoType::kConnectError, nsp, out);
  out.append(R"({"message":)");
  AppendJsonString(error.message(), out);
  out.append(R"(,"data":)");
  AppendErrorObject(error, out);
  out.push_back('}');
}

void AppendSocketIoInvalidNamespace(std::string_view nsp, std::string& out) {
  AppendHead(SocketIoType::kConnectError, nsp, out);
  out.append(R"({"message":"Invalid namespace"})");
}

void AppendSocketIoDisconnect(std::string_view nsp, std::string& out) {
  AppendHead(SocketIoType::kDisconnect, nsp, out);
}

void AppendSocketIoEventPrefix(std::string_view nsp, std::string& out) {
  AppendHead(SocketIoType::kEvent, nsp, out);
}

void AppendSocketIoAckPrefix(std::string_view nsp, uint64_t ack_id, std::string& out) {
  AppendHead(SocketIoType::kAck, nsp, out);
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), ack_id).ptr;
  out.append(digits, end);
}

void AppendErrorObject(const v1::Error& error, std::string& out) {
  out.append(R"({"reason":)");
  AppendJsonString(TraitsOf(error.reason()).word, out);
  out.append(R"(,"message":)");
  AppendJsonString(error.message(), out);
  out.append(error.retryable() ? R"(,"retryable":true)" : R"(,"retryable":false)");
  if (error.retry_after_ms() > 0) {
    out.append(R"(,"retryAfterMs":)");
    AppendJsonNumber(error.retry_after_ms(), out);
  }
  out.push_back('}');
}

}  // namespace confab::edge
