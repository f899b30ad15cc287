// stopwatch.h: how much time has passed since it was made, whatever becomes of the clock on the wall
// meanwhile: what a wait is measured by.
// Threads: immutable.
#pragma once

#include <chrono>

#include <absl/time/time.h>

namespace confab::process {

class Stopwatch {
 public:
  absl::Duration elapsed() const {
    return absl::FromChrono(std::chrono::steady_clock::now() - start_);
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace confab::process
