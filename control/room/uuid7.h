// uuid7.h: message ids: UUID version 7 (RFC 9562), time first, so that they sort by it.
// Threads: any thread.
#pragma once

#include <cstdint>
#include <string>

namespace confab::control {

// The text of the UUID of that millisecond with these random bits (12 and 62 of them are used).
std::string FormatUuid7(int64_t unix_ms, uint16_t random_a, uint64_t random_b);

// A new one, with the present time and random bits of the operating system.
std::string NewUuid7();

}  // namespace confab::control
