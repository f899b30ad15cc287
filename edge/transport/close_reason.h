// close_reason.h: why the edge closes a connection: the one table of reason, WebSocket code and
// word. Codes 4000-4499 mean come back, 4500-4999 are final; below stand the codes of RFC 6455.
// Used by: connection, transport, metrics (labels).   Threads: immutable.
#pragma once

#include <cstdint>
#include <string_view>

namespace confab::edge {

enum class CloseReason : uint8_t {
  kNormal,              // The client asked for it.
  kServerStopping,      // This process ends.
  kMessageTooBig,       // A message above the limit.
  kInvalidUtf8,         // A text message that is none.
  kInternal,            // A defect of ours, logged.
  kTokenExpired,        // The token's time is over.
  kHandshakeTimeout,    // Not authenticated in time.
  kPingTimeout,         // No pong in time.
  kControlUnavailable,  // A CONNECT waited for control in vain.
  kRateLimited,         // Too many control frames, CONNECTs, refused tokens.
  kSlowReader,          // The outbox is full.
  kDraining,            // This edge is being emptied; come back after the delay told.
  kBadPacket,           // What came is no packet of the protocol.
  kTokenInvalid,        // Refused token.
  kForbidden,           // Refused by policy.
  kReplaced,            // One connection too many of this user; the newest stays.
};

inline constexpr int kCloseReasonCount = static_cast<int>(CloseReason::kReplaced) + 1;

struct CloseTraits {
  uint16_t code = 0;
  std::string_view word;  // As in server:closing and metric labels: "SLOW_READER". Static storage.
  std::string_view text;  // For people; fits a close frame (123 bytes).
  bool may_return = false;      // The same client may connect again without a change.
  uint32_t retry_after_ms = 0;  // After so long; 0: when it likes.
};

const CloseTraits& TraitsOf(CloseReason reason);

// The reason of that code; kForbidden for one that is not in the table.
CloseReason ReasonOfCode(uint32_t code);

}  // namespace confab::edge
