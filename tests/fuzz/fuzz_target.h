// fuzz_target.h: what every fuzz target is, and how it complains.
// One target is one function over arbitrary bytes: with the fuzz preset libFuzzer calls it, in every
// other build replay_main does, over the seeds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace confab::fuzz {

inline std::string_view View(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// A property that must hold whatever the input.
inline void Require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "property does not hold: %s\n", property);
  std::abort();
}

}  // namespace confab::fuzz
