#include "edge/protocol/engineio_codec.h"

#include <fmt/format.h>

namespace confab::edge {

absl::StatusOr<EngineIoPacket> DecodeEngineIo(std::string_view text_frame) {
  if (text_frame.empty()) return absl::InvalidArgumentError("empty Engine.IO packet");
  const char type = text_frame.front();
  if (type < '0' || type > '6') {
    return absl::InvalidArgumentError("unknown Engine.IO packet type");
  }
  return EngineIoPacket{static_cast<EngineIoType>(type), text_frame.substr(1)};
}

std::string EncodeEngineIoOpen(const EngineIoOpen& open) {
  return fmt::format(
      R"(0{{"sid":"{}","upgrades":[{}],"pingInterval":{},"pingTimeout":{},"maxPayload":{}}})",
      open.sid, open.offers_websocket ? R"("websocket")" : "", open.ping_interval_ms,
      open.ping_timeout_ms, open.payload_bytes_limit);
}

}  // namespace confab::edge
