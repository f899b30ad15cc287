// Socket.IO packets.
// Covers: edge/protocol/socketio_codec.cc
#include <string>

#include "edge/protocol/socketio_codec.h"
#include "edge/protocol/utf8.h"
#include "tests/fuzz/fuzz_json.h"

namespace {

namespace edge = confab::edge;
using confab::fuzz::Require;
using edge::SocketIoType;

void CheckEvent(const edge::SocketIoPacket& packet) {
  if (packet.json == nullptr) {
    Require(!packet.has_payload() || !packet.unreadable.empty(), "what stands there was read");
    return;
  }
  const boost::json::array* array = packet.json->if_array();
  Require(array != nullptr && !array->empty(), "an event has a name");
  Require(packet.event != "disconnect" && packet.event != "connect", "reserved names are refused");
  if (!packet.ack_id) return;
  std::string ack;
  edge::AppendSocketIoAckPrefix(packet.nsp, *packet.ack_id, ack);
  Require(ack.find(std::to_string(*packet.ack_id)) != std::string::npos, "an ack has its number");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static edge::JsonParser parser;
  const std::string_view body = confab::fuzz::View(bytes, size);
  edge::SocketIoPacket packet;
  if (!edge::DecodeSocketIo(body, parser, packet).ok()) return 0;
  Require(!packet.nsp.empty() && packet.nsp.front() == '/', "a namespace begins with a slash");
  Require(packet.nsp.size() <= edge::kSocketIoNamespaceBytesLimit, "a namespace is short");
  Require(packet.attachments <= edge::kSocketIoAttachmentsLimit, "attachments are few");
  Require(body.ends_with(packet.payload), "the payload ends the body");
  const bool is_event =
      packet.type == SocketIoType::kEvent || packet.type == SocketIoType::kBinaryEvent;
  if (is_event) CheckEvent(packet);
  if (packet.type == SocketIoType::kConnect) {
    Require(packet.json == nullptr || packet.json->is_object(), "CONNECT has an object or nothing");
  }
  // Sent back: in a text frame, so it has to be text.
  std::string refusal;
  edge::AppendSocketIoInvalidNamespace(packet.nsp, refusal);
  Require(!edge::IsUtf8(body) || edge::IsUtf8(refusal), "text stays text");
  return 0;
}
