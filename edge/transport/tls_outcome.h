// tls_outcome.h: how handshakes of TLS end, as figures name it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace confab::edge {

enum class TlsOutcome : std::uint8_t {
  kDone,
  kNoTls,    // Something else was spoken, mostly HTTP without TLS.
  kFailed,   // No common version or cipher, broken records, a certificate the client refuses.
  kLeft,     // The client hung up.
  kTimeout,  // It took too long.
};

inline constexpr std::array<std::string_view, 5> kTlsOutcomeWords = {"ok", "no_tls", "failed",
                                                                     "left", "timeout"};

}  // namespace confab::edge
