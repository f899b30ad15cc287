#include "edge/protocol/engineio_payload.h"

#include <absl/strings/escaping.h>

#include "edge/protocol/websocket_frame.h"

namespace confab::edge {

std::optional<std::string_view> PayloadReader::Next() {
  if (is_done_) return std::nullopt;
  const std::string_view packet = rest_.substr(0, rest_.find(kPayloadSeparator));
  is_done_ = packet.size() == rest_.size();
  if (!is_done_) rest_.remove_prefix(packet.size() + 1);
  return packet;
}

std::size_t PolledBytes(std::string_view frames) {
  std::size_t bytes = 0;
  while (!frames.empty()) {
    const WebSocketFrameView view = CutWebSocketFrame(frames);
    bytes += view.opcode == WebSocketOpcode::kBinary ? 1 + (view.payload.size() + 2) / 3 * 4
                                                     : view.payload.size();
    if (!frames.empty()) ++bytes;  // A separator.
  }
  return bytes;
}

void AppendPolled(std::string_view frames, std::string& payload) {
  while (!frames.empty()) {
    if (!payload.empty()) payload += kPayloadSeparator;
    const WebSocketFrameView view = CutWebSocketFrame(frames);
    if (view.opcode == WebSocketOpcode::kBinary) {
      AppendBase64Packet(view.payload, payload);
    } else {
      payload += view.payload;
    }
  }
}

void AppendBase64Packet(std::string_view bytes, std::string& out) {
  out += kEngineIoBase64;
  out += absl::Base64Escape({bytes.data(), bytes.size()});
}

std::optional<std::string> DecodeBase64Packet(std::string_view packet) {
  std::string bytes;
  const std::string_view text = packet.substr(1);
  if (!absl::Base64Unescape({text.data(), text.size()}, &bytes)) return std::nullopt;
  return bytes;
}

}  // namespace confab::edge
