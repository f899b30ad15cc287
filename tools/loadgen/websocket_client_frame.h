// websocket_client_frame.h: RFC 6455 frames as a client writes and reads them.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace confab::loadgen {

enum class FrameKind : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

// Longer ones come from no Confab: a page of history has at most 1 MiB.
inline constexpr size_t kFrameBytesLimit = 16 * 1024 * 1024;

// A whole, masked frame. The mask hides nothing here, it is only asked for.
void AppendClientFrame(FrameKind kind, std::string_view payload, uint32_t mask, std::string& out);

struct ServerFrame {
  FrameKind kind = FrameKind::kText;
  bool is_final = true;
  std::string_view payload;
};

enum class FrameCut { kWhole, kIncomplete, kBroken };

// Cuts the first frame off `bytes`, if it is whole.
FrameCut CutServerFrame(std::string_view& bytes, ServerFrame& frame);

}  // namespace confab::loadgen
