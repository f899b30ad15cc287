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

WebSocketFrameView ViewWebSocketFrame(std::string_view frame) {
  assert(frame.size() >= 2);
  const auto length = static_cast<unsigned char>(frame[1]);
  const size_t length_bytes = length < kLengthIn16Bits ? 0 : length == kLengthIn16Bits ? 2 : 8;
  return {.opcode = static_cast<WebSocketOpcode>(static_cast<unsigned char>(frame[0]) & 0x0f),
          .payload = frame.substr(2 + length_bytes)};
}

}  // namespace confab::edge
