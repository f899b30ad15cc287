// session_home.h: what all sessions of one io thread share.
// Owns: nothing but the scratch buffer.   Used by: sessions. Made by io_thread.
// Threads: confined to the io thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "edge/connection/connection.h"
#include "edge/connection/encoder_table.h"
#include "edge/connection/heartbeat.h"
#include "edge/dialect/dialect_set.h"
#include "edge/protocol/json_text.h"
#include "edge/recovery/offset.h"
#include "edge/transport/timer_wheel.h"

namespace confab::edge {

struct SessionHome {
  ConnectionHost& host;
  TimerWheel& wheel;
  const HeartbeatLimits& heartbeat;
  const DialectSet& dialects;
  std::size_t default_dialect = 0;             // Its place, for who names none.
  const std::vector<std::string>& namespaces;  // What Socket.IO clients may join.
  const EncoderTable& encoders;
  RecoveringDialects recovery = {};
  std::uint32_t message_bytes_limit = 65'536;
  // From a message's first part to its last; 0: any.
  absl::Duration message_time = absl::Seconds(10);
  JsonParser json{};
  std::string scratch{};  // A frame under construction.
};

}  // namespace confab::edge
