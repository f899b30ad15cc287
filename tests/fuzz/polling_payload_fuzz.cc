// Bodies of long-polling POSTs, and the way back: frames of ours as packets of an answer.
// Covers: edge/protocol/engineio_payload.cc edge/protocol/websocket_frame.cc
#include <optional>
#include <string>

#include "edge/protocol/engineio_codec.h"
#include "edge/protocol/engineio_payload.h"
#include "edge/protocol/utf8.h"
#include "edge/protocol/websocket_frame.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

namespace edge = confab::edge;
using confab::fuzz::Require;

// As a frame that is queued, taken apart, and written into an answer.
void Poll(edge::WebSocketOpcode opcode, std::string_view packet, std::string& payload) {
  std::string buffer;
  edge::BeginWebSocketFrame(buffer);
  buffer += packet;
  const std::string frame(edge::FinishWebSocketFrame(opcode, buffer));
  std::string_view rest = frame;
  const edge::WebSocketFrameView view = edge::CutWebSocketFrame(rest);
  Require(view.opcode == opcode && view.payload == packet, "a frame holds what was put in");
  const std::size_t before = payload.empty() ? 0 : payload.size() + 1;
  edge::AppendPolled(frame, payload);
  Require(payload.size() == before + edge::PolledBytes(frame), "a packet takes what was said");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view payload = confab::fuzz::View(bytes, size);
  edge::PayloadReader reader(payload);
  std::size_t read = 0;
  std::size_t packets = 0;
  std::string again;
  while (const std::optional<std::string_view> packet = reader.Next()) {
    ++packets;
    read += packet->size();
    if (packet->starts_with(edge::kEngineIoBase64)) {
      const std::optional<std::string> binary = edge::DecodeBase64Packet(*packet);
      Require(!binary || binary->size() <= packet->size(), "base64 does not shrink");
      if (binary) Poll(edge::WebSocketOpcode::kBinary, *binary, again);
    } else if (edge::DecodeEngineIo(*packet).ok()) {
      Poll(edge::WebSocketOpcode::kText, *packet, again);
    }
  }
  Require(read + packets - 1 == payload.size(), "packets and separators are the whole payload");
  Require(!edge::IsUtf8(payload) || edge::IsUtf8(again), "text stays text");
  return 0;
}
