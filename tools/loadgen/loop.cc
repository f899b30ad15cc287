#include "tools/loadgen/loop.h"

namespace confab::loadgen {

Loop::Loop() : io_(1), signals_(io_, SIGINT, SIGTERM), tick_(io_) {
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    is_interrupted_ = true;
    // From the second one on they do what they do without us: end the process.
    boost::system::error_code ignored;
    signals_.clear(ignored);
  });
  AwaitTick();
}

bool Loop::RunUntil(const std::function<bool()>& is_so, absl::Duration at_most) {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(at_most);
  while (!is_so()) {
    if (is_interrupted_ || std::chrono::steady_clock::now() >= until) return false;
    io_.run_one_until(until);
  }
  return true;
}

bool Loop::RunFor(absl::Duration duration) {
  RunUntil([] { return false; }, duration);
  return !is_interrupted_;
}

void Loop::AwaitTick() {
  tick_.expires_after(kTick);
  tick_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    if (on_tick_) on_tick_();
    AwaitTick();
  });
}

}  // namespace confab::loadgen
