// websocket_frame.h: writes the RFC 6455 header of a whole, unmasked frame (what a server sends),
// so that one frame can be built once and be appended to many sockets. Owns: nothing.   Used by:
// hub (frame_cache), connection.   Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace confab::edge {

enum class WebSocketOpcode : uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

// 2 bytes, or 4 from 126 bytes of payload on, or 10 from 64 KiB on.
inline constexpr size_t kWebSocketHeaderBytesMax = 10;

// Building a frame in place, without knowing its length beforehand:
//   BeginWebSocketFrame(buffer); …append the payload to buffer…;
//   SharedFrame::Copy(FinishWebSocketFrame(WebSocketOpcode::kText, buffer))
// Begin clears the buffer (its capacity stays) and keeps room for the header.
void BeginWebSocketFrame(std::string& buffer);

// A frame made so, taken apart again; views it.
struct WebSocketFrameView {
  WebSocketOpcode opcode = WebSocketOpcode::kText;
  std::string_view payload;
};
// The first of whole frames that stand behind one another, which is cut off. REQUIRES: there is one.
WebSocketFrameView CutWebSocketFrame(std::string_view& frames);

// Writes the header right before the payload. The frame is a view into `buffer`.
std::string_view FinishWebSocketFrame(WebSocketOpcode opcode, std::string& buffer);

}  // namespace confab::edge
