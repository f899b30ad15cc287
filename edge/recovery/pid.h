// pid.h: what a client and the server alone know of a session that can be had back. A secret: it is
// never logged.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace confab::edge {

struct Pid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend bool operator==(const Pid&, const Pid&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const Pid& pid) {
    return H::combine(std::move(state), pid.high, pid.low);
  }
};

// 128 random bits.
Pid DrawPid();

// 32 hexadecimal digits.
std::string TextOfPid(const Pid& pid);
// nullopt: no pid of ours.
std::optional<Pid> ParsePid(std::string_view text);

}  // namespace confab::edge
