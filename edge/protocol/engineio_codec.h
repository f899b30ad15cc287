// engineio_codec.h: Engine.IO v4 packets as they travel over WebSocket: one packet a text message.
// Owns: nothing; decoded packets are views into the frame.   Used by: connection.
// Threads: pure functions.
// Fails: INVALID_ARGUMENT for what is no packet; the connection is closed then.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace confab::edge {

enum class EngineIoType : char {
  kOpen = '0',
  kClose = '1',
  kPing = '2',
  kPong = '3',
  kMessage = '4',
  kUpgrade = '5',
  kNoop = '6',
};

struct EngineIoPacket {
  EngineIoType type = EngineIoType::kNoop;
  std::string_view body;  // Behind the type digit; views the decoded frame.
};

// One text frame is one packet. INVALID_ARGUMENT: empty, or not of a known type.
absl::StatusOr<EngineIoPacket> DecodeEngineIo(std::string_view text_frame);

// Whole text frames the server sends. A message is kEngineIoMessage followed by its body.
inline constexpr std::string_view kEngineIoClose = "1";
inline constexpr std::string_view kEngineIoPing = "2";
inline constexpr std::string_view kEngineIoPong = "3";
inline constexpr char kEngineIoMessage = '4';
inline constexpr std::string_view kEngineIoNoop = "6";
// The upgrade of a polling session: asked, answered, done.
inline constexpr std::string_view kEngineIoProbe = "2probe";
inline constexpr std::string_view kEngineIoProbed = "3probe";
inline constexpr std::string_view kEngineIoUpgrade = "5";

// What the server tells a client about a new session.
struct EngineIoOpen {
  std::string_view sid;  // Secret of the session; base64url characters only.
  uint32_t ping_interval_ms = 25'000;
  uint32_t ping_timeout_ms = 20'000;
  uint32_t payload_bytes_limit = 65'536;
  bool offers_websocket = false;  // The session may be upgraded.
};

// The first packet of a session.
std::string EncodeEngineIoOpen(const EngineIoOpen& open);

}  // namespace confab::edge
