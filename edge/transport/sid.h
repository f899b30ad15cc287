// sid.h: names of Engine.IO sessions: a secret that also says where the session lives, so that a
// request for it can be handed there by whoever accepted it.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace confab::edge {

struct SidPlace {
  std::uint8_t thread = 0;
  std::uint16_t edge = 0;  // Tells apart edges, and the runs of one.
};

// base64url of: the thread, the edge, 15 random bytes (120 bits nobody guesses).
std::string NewSid(const SidPlace& place);

// nullopt: no sid of ours.
std::optional<SidPlace> PlaceOfSid(std::string_view sid);

}  // namespace confab::edge
