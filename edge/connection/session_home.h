// session_home.h: what all sessions of one io thread share.
// Owns: nothing but the scratch buffer.   Used by: sessions. Made by io_thread.
// Threads: confined to the io thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "edge/connection/connection.h"
#include "edge/connection/event_encoder.h"
#include "edge/connection/heartbeat.h"
#include "edge/dialect/dialect.h"
#include "edge/protocol/json_text.h"
#include "edge/transport/timer_wheel.h"

namespace confab::edge {

struct SessionHome {
  ConnectionHost& host;
  TimerWheel& wheel;
  const HeartbeatLimits& heartbeat;
  const Dialect& dialect;
  const EventEncoder& socketio_encoder;
  const EventEncoder& native_json_encoder;
  const EventEncoder& native_binary_encoder;
  std::uint32_t message_bytes_limit = 65'536;
  JsonParser json{};
  std::string scratch{};  // A frame under construction.
};

}  // namespace confab::edge
