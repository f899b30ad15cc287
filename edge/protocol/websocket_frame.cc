#include "edge/protocol/websocket_frame.h"

#include <cassert>

namespace confab::edge {
namespace {

constexpr unsigned kFinalFragment = 0x80;
constexpr unsigned kLengthIn16Bits = 126;
constexpr unsigned kLengthIn64Bits = 127;

}  // namespace

void BeginWebSocketFrame(std::string& buffer) { buffer.assign(kWebSocketHeaderBytesMax, '\0'); }

std::string_view FinishWebSocketFrame(WebSocketOpcode opcode, std::string& buffer) {
  assert(buffer.size() >= kWebSocketHeaderBytesMax);
  const uint64_t length = buffer.size() - kWebSocketHeaderBytesMax;
  const size_t length_bytes = length < kLengthIn16Bits ? 0 : length <= 0xffff ? 2 : 8;
  const size_t start = kWebSocketHeaderBytesMax - 2 - length_bytes;
  buffer[start] = static_cast<char>(kFinalFragment | static_cast<unsigned>(opcode));
  buffer[start + 1] = static_cast<char>(length_bytes == 0   ? length
                                        : length_bytes == 2 ? kLengthIn16Bits
                                                            : kLengthIn64Bits);
  for (size_t i = 0; i < length_bytes; ++i) {
    buffer[start + 2 + i] = static_cast<char>(length >> (8 * (length_bytes - 1 - i)) & 0xff);
  }
  return std::string_view(buffer).substr(start);
}

WebSocketFrameView CutWebSocketFrame(std::string_view& frames) {
  assert(frames.size() >= 2);
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(frames[i]); };
  uint64_t length = byte(1);
  const size_t length_bytes = length < kLengthIn16Bits ? 0 : length == kLengthIn16Bits ? 2 : 8;
  if (length_bytes > 0) length = 0;
  for (size_t i = 0; i < length_bytes; ++i) length = length << 8 | byte(2 + i);
  const WebSocketFrameView view{.opcode = static_cast<WebSocketOpcode>(byte(0) & 0x0f),
                                .payload = frames.substr(2 + length_bytes, length)};
  frames.remove_prefix(2 + length_bytes + view.payload.size());
  return view;
}

}  // namespace confab::edge
