// eventually.h: waiting for what another thread brings about and nobody announces.
// Threads: any; the condition is asked on the caller's.
#pragma once

#include <chrono>
#include <thread>

namespace confab::tests {

// False: the condition still did not hold at the end of `limit`, which is far beyond what a busy
// machine needs. It is asked every 5 ms.
template <typename Condition>
bool Eventually(Condition condition, std::chrono::seconds limit = std::chrono::seconds(30)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace confab::tests
