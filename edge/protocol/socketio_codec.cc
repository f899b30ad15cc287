#include "edge/protocol/socketio_codec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <absl/status/statusor.h>

#include "edge/protocol/engineio_codec.h"
#include "proto/reason.h"

namespace confab::edge {
namespace {

namespace json = boost::json;

// Names no client may emit: they are the client's own life-cycle events.
constexpr std::array<std::string_view, 6> kReservedEvents = {
    "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"};

absl::Status Bad(const char* what) { return absl::InvalidArgumentError(what); }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsEvent(SocketIoType type) {
  return type == SocketIoType::kEvent || type == SocketIoType::kBinaryEvent;
}

bool IsAck(SocketIoType type) {
  return type == SocketIoType::kAck || type == SocketIoType::kBinaryAck;
}

// Takes "2-" off the front.
absl::Status TakeAttachments(std::string_view& rest, size_t& attachments) {
  const auto result = std::from_chars(rest.data(), rest.data() + rest.size(), attachments);
  const auto digits = static_cast<size_t>(result.ptr - rest.data());
  if (result.ec != std::errc() || digits == rest.size() || *result.ptr != '-' ||
      (digits > 1 && rest.front() == '0')) {
    return Bad("the number of attachments is a whole number");
  }
  if (attachments > kSocketIoAttachmentsLimit) return Bad("more than 10 attachments");
  rest.remove_prefix(digits + 1);
  return absl::OkStatus();
}

// True if every placeholder has a number below the count that no other has. The parser has bounded
// the depth.
bool AreGoodPlaceholders(const json::value& value, size_t count, uint32_t& seen) {
  if (const json::array* items = value.if_array()) {
    return std::all_of(items->begin(), items->end(), [&](const json::value& item) {
      return AreGoodPlaceholders(item, count, seen);
    });
  }
  const json::object* object = value.if_object();
  if (object == nullptr) return true;
  const json::value* mark = object->if_contains("_placeholder");
  if (mark == nullptr || mark->if_bool() == nullptr || !mark->get_bool()) {
    return std::all_of(object->begin(), object->end(), [&](const auto& member) {
      return AreGoodPlaceholders(member.value(), count, seen);
    });
  }
  const json::value* number = object->if_contains("num");
  const int64_t* num = number == nullptr ? nullptr : number->if_int64();
  if (num == nullptr || *num < 0 || static_cast<uint64_t>(*num) >= count) return false;
  const uint32_t bit = 1U << *num;
  return (std::exchange(seen, seen | bit) & bit) == 0;
}

// Takes "/name," off the front.
absl::Status TakeNamespace(std::string_view& rest, std::string_view& nsp) {
  if (rest.empty() || rest.front() != '/') return absl::OkStatus();
  const size_t comma = rest.find(',');
  nsp = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  if (nsp.size() > kSocketIoNamespaceBytesLimit) return Bad("namespace longer than 128 bytes");
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
    case SocketIoType::kBinaryEvent:
      return CheckEvent(packet);
    case SocketIoType::kAck:
    case SocketIoType::kBinaryAck:
      return packet.json->is_array() ? absl::OkStatus() : Bad("the payload of an ack is an array");
    case SocketIoType::kDisconnect:
    case SocketIoType::kConnectError:
      break;
  }
  return Bad("packet with a payload it must not have");
}

void AppendDigits(uint64_t number, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append(digits, end);
}

void AppendHead(SocketIoType type, std::string_view nsp, std::string& out,
                std::optional<size_t> attachments = std::nullopt) {
  out.push_back(kEngineIoMessage);
  out.push_back(static_cast<char>(type));
  if (attachments) {
    AppendDigits(*attachments, out);
    out.push_back('-');
  }
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
  if (packet.type == SocketIoType::kConnectError) return Bad("CONNECT_ERROR from a client");

  std::string_view rest = body.substr(1);
  const bool is_binary =
      packet.type == SocketIoType::kBinaryEvent || packet.type == SocketIoType::kBinaryAck;
  if (is_binary) {
    absl::Status status = TakeAttachments(rest, packet.attachments);
    if (!status.ok()) return status;
  }
  if (absl::Status status = TakeNamespace(rest, packet.nsp); !status.ok()) return status;
  if (absl::Status status = TakeAckId(rest, packet.ack_id); !status.ok()) return status;
  if (packet.ack_id && !IsEvent(packet.type) && !IsAck(packet.type)) {
    return Bad("ack id on a packet that has none");
  }
  packet.payload = rest;
  if (rest.empty()) return absl::OkStatus();
  if (packet.type == SocketIoType::kDisconnect) return Bad("DISCONNECT carries no payload");

  absl::StatusOr<const json::value*> parsed = parser.Parse(rest);
  if (!parsed.ok()) {
    if (!IsEvent(packet.type) || !absl::IsOutOfRange(parsed.status())) {
      return absl::InvalidArgumentError(parsed.status().message());
    }
    packet.unreadable = std::string(parsed.status().message());
    return absl::OkStatus();
  }
  packet.json = *parsed;
  if (absl::Status status = CheckPayload(packet); !status.ok()) return status;
  uint32_t seen = 0;
  if (is_binary && !AreGoodPlaceholders(*packet.json, packet.attachments, seen)) {
    return Bad("a placeholder names no attachment, or one that is taken");
  }
  return absl::OkStatus();
}

void AppendSocketIoConnect(std::string_view nsp, std::string_view sid, std::string_view pid,
                           std::string& out) {
  AppendHead(SocketIoType::kConnect, nsp, out);
  out.append(R"({"sid":)");
  AppendJsonString(sid, out);
  if (!pid.empty()) {
    out.append(R"(,"pid":)");
    AppendJsonString(pid, out);
  }
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
  AppendDigits(ack_id, out);
}

void AppendSocketIoBinaryEventPrefix(std::string_view nsp, size_t attachments, std::string& out) {
  AppendHead(SocketIoType::kBinaryEvent, nsp, out, attachments);
}

void AppendSocketIoBinaryAckPrefix(std::string_view nsp, size_t attachments, uint64_t ack_id,
                                   std::string& out) {
  AppendHead(SocketIoType::kBinaryAck, nsp, out, attachments);
  AppendDigits(ack_id, out);
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
