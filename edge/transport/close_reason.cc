#include "edge/transport/close_reason.h"

#include <array>
#include <cstddef>

namespace confab::edge {
namespace {

// In the order of the enum.
constexpr std::array<CloseTraits, kCloseReasonCount> kTable = {{
    {1000, "NORMAL", "closed by the client", true},
    {1001, "SERVER_STOPPING", "the server is stopping, connect again", true},
    {1009, "MESSAGE_TOO_BIG", "a message exceeds the size limit", true},
    {1007, "INVALID_UTF8", "a text message is not valid UTF-8", true},
    {1011, "INTERNAL", "defect of the server", true},
    {4001, "TOKEN_EXPIRED", "the token has expired, connect with a new one", true},
    {4002, "HANDSHAKE_TIMEOUT", "no valid token was shown in time", true},
    {4003, "PING_TIMEOUT", "no pong came in time", true},
    {4004, "UNAVAILABLE", "the service cannot be reached right now", true, 1'000},
    {4008, "RATE_LIMITED", "too much in too short a time", true, 1'000},
    {4009, "SLOW_READER", "the connection reads too slowly, resume from the last event", true},
    {4010, "DRAINING", "this server is being emptied, connect again", true},
    {4400, "BAD_PACKET", "what was sent is no packet of this protocol", true},
    {4501, "TOKEN_INVALID", "the token was refused", false},
    {4503, "FORBIDDEN", "refused", false},
    {4504, "REPLACED", "too many connections of this user", false},
}};

}  // namespace

const CloseTraits& TraitsOf(CloseReason reason) { return kTable[static_cast<size_t>(reason)]; }

CloseReason ReasonOfCode(uint32_t code) {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].code == code) return static_cast<CloseReason>(i);
  }
  return CloseReason::kForbidden;
}

}  // namespace confab::edge
