// engineio_payload.h: Engine.IO v4 packets as they travel over HTTP: joined by 0x1e, binary ones as
// 'b' and base64. Queued packets are WebSocket frames whatever the carrier; here they are stripped.
// Owns: nothing.   Used by: polling_transport, engineio_session (base64).
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace confab::edge {

inline constexpr char kPayloadSeparator = '\x1e';
inline constexpr char kEngineIoBase64 = 'b';

// The packets of a payload, in order; an empty one is no packet, and an empty payload holds one.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view payload) : rest_(payload) {}

  // nullopt: there are no more. Views the payload.
  std::optional<std::string_view> Next();

 private:
  std::string_view rest_;
  bool is_done_ = false;
};

// What whole, unmasked frames of the server take up in a payload, without a separator before them. A
// shared frame is one of them, or several that belong together: an event and its attachment.
std::size_t PolledBytes(std::string_view frames);
// Appends each as a packet, behind a separator unless `payload` is empty.
void AppendPolled(std::string_view frames, std::string& payload);

// A binary packet in text: 'b' and base64.
void AppendBase64Packet(std::string_view bytes, std::string& out);
// The bytes of such a packet; nullopt: that is no base64.
std::optional<std::string> DecodeBase64Packet(std::string_view packet);

}  // namespace confab::edge
