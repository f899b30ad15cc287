#include "tools/loadgen/chat_words.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "edge/protocol/json_text.h"
#include "edge/protocol/socketio_codec.h"

namespace confab::loadgen {
namespace {

namespace json = boost::json;

// Sixteen bytes, which a server hashes and nobody checks further.
constexpr std::string_view kWebSocketKey = "Y29uZmFiLWxvYWRnZW4hIQ==";

const json::value* Member(const json::object& object, const char* name) {
  return object.if_contains(name);
}

std::string_view TextOf(const json::object& object, const char* name) {
  const json::value* value = Member(object, name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

int64_t NumberOf(const json::object& object, const char* name) {
  const json::value* value = Member(object, name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

bool IsTrue(const json::object& object, const char* name) {
  const json::value* value = Member(object, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

void AppendEvent(uint64_t ack_id, std::string_view name, std::string& out) {
  edge::AppendSocketIoEventPrefix("/", out);
  edge::AppendJsonNumber(static_cast<int64_t>(ack_id), out);
  out += '[';
  edge::AppendJsonString(name, out);
  out += ",{\"roomId\":";
}

}  // namespace

void AppendUpgradeRequest(std::string_view host_header, std::string_view path, std::string& out) {
  fmt::format_to(std::back_inserter(out),
                 "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n"
                 "User-Agent: confab-loadgen/" CONFAB_VERSION "\r\n\r\n",
                 path, host_header, kWebSocketKey);
}

void AppendConnectPacket(std::string_view token, std::string& out) {
  out += "40{\"token\":";
  edge::AppendJsonString(token, out);
  out += ",\"dialect\":\"confab\"}";
}

void AppendJoinPacket(std::string_view room, uint64_t ack_id, std::string& out) {
  AppendEvent(ack_id, "joinRoom", out);
  edge::AppendJsonString(room, out);
  out += "}]";
}

void AppendMessagePacket(const OutgoingMessage& message, uint64_t ack_id, std::string& out) {
  AppendEvent(ack_id, "sendMessage", out);
  edge::AppendJsonString(message.room, out);
  out += ",\"clientMsgId\":";
  edge::AppendJsonString(message.key, out);
  out += ",\"content\":";
  edge::AppendJsonString(message.content, out);
  out += "}]";
}

Answer ReadAnswer(const json::value* arguments) {
  Answer answer;
  const json::array* items = arguments == nullptr ? nullptr : arguments->if_array();
  const json::object* said =
      items == nullptr || items->empty() ? nullptr : items->front().if_object();
  if (said == nullptr) {
    answer.message = "the acknowledgement has no object in it: another dialect?";
    return answer;
  }
  answer.is_ok = IsTrue(*said, "ok");
  answer.seq = NumberOf(*said, "seq");
  answer.last_seq = NumberOf(*said, "lastSeq");
  const json::value* error = Member(*said, "error");
  if (error == nullptr || !error->is_object()) return answer;
  answer.reason = TextOf(error->get_object(), "reason");
  answer.message = TextOf(error->get_object(), "message");
  answer.is_retryable = IsTrue(error->get_object(), "retryable");
  answer.retry_after_ms = NumberOf(error->get_object(), "retryAfterMs");
  return answer;
}

void ReadConnectError(const json::value& said, std::string& reason, std::string& what) {
  if (!said.is_object()) return;
  const std::string_view message = TextOf(said.get_object(), "message");
  if (!message.empty()) what = message;
  const json::value* data = Member(said.get_object(), "data");
  if (data == nullptr || !data->is_object()) return;
  reason = TextOf(data->get_object(), "reason");
}

std::string CloseText(std::string_view payload) {
  if (payload.size() < 2) return "the server closed without a code";
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(payload[i]); };
  return fmt::format("the server closed with {} {}", byte(0) << 8 | byte(1), payload.substr(2));
}

std::string CloseReasonIn(std::string_view payload) {
  const std::string_view text = payload.substr(std::min<size_t>(payload.size(), 2));
  const bool is_word = std::all_of(text.begin(), text.end(),
                                   [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
  return is_word ? std::string(text) : "";
}

std::string ReasonIn(std::string_view text) {
  constexpr std::string_view kMember = "\"reason\":\"";
  const size_t at = text.find(kMember);
  if (at == std::string_view::npos) return "";
  text.remove_prefix(at + kMember.size());
  return std::string(text.substr(0, text.find('"')));
}

}  // namespace confab::loadgen
