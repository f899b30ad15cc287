// native_codec.h: the native protocols confab.v1.json and confab.v1.proto: one ClientFrame or
// ServerFrame a WebSocket message.
// Owns: nothing.   Used by: connection, hub.   Threads: pure functions.
// Fails: INVALID_ARGUMENT with a message that names the place in the frame.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/status.h>

#include "confab/v1/client.pb.h"

namespace confab::edge {

enum class NativeForm {
  kJson,    // Text messages, proto3 JSON.
  kBinary,  // Binary messages, protobuf.
};

// The assembled WebSocket message is bounded by the transport already; this holds for whoever
// calls.
inline constexpr size_t kClientFrameBytesLimit = 64 * 1024;

inline constexpr std::string_view kNativeJsonSubprotocol = "confab.v1.json";
inline constexpr std::string_view kNativeBinarySubprotocol = "confab.v1.proto";

// The form of a WebSocket sub-protocol; nullopt if we do not speak it.
std::optional<NativeForm> NativeFormOf(std::string_view subprotocol);

// Decodes into `frame` (cleared first). INVALID_ARGUMENT: not a ClientFrame, too large, too deep,
// unknown JSON field, invalid UTF-8. On failure frame.request() still tells the request number if
// it could be read, so that the refusal can name it. A frame of an unknown kind (newer client) is
// OK and has frame_case() FRAME_NOT_SET.
absl::Status DecodeClientFrame(NativeForm form, std::string_view bytes, v1::ClientFrame& frame);

// Appends the encoded frame to `out`. Never fails for frames of valid UTF-8.
void AppendServerFrame(NativeForm form, const v1::ServerFrame& frame, std::string& out);

}  // namespace confab::edge
