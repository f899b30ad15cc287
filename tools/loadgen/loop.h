// loop.h: the one thread of a load: runs what its sockets and timers have to do until something is
// so, a time has come, or somebody pressed Ctrl-C. A run reads as a sequence of such waits.
// Owns: the io_context, the signals, a tick.   Used by: every part that waits.
// Threads: confined to the main thread.
// Fails: waits end at their deadline; nothing waits without one.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <utility>

#include <absl/time/time.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace confab::loadgen {

// Nanoseconds of a clock that never jumps.
inline int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

inline std::chrono::steady_clock::time_point TimeOfNs(int64_t ns) {
  return std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(
          std::chrono::nanoseconds(ns)));
}

class Loop {
 public:
  // Often enough for a line that somebody reads, and for plots.
  static constexpr std::chrono::milliseconds kTick{250};

  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  boost::asio::io_context& io() { return io_; }

  // False: it did not come to be so before the time was over or the run was interrupted.
  bool RunUntil(const std::function<bool()>& is_so, absl::Duration at_most);
  // False: interrupted.
  bool RunFor(absl::Duration duration);

  // Called every kTick while the loop runs; null: nothing.
  void SetTick(std::function<void()> tick) { on_tick_ = std::move(tick); }

  bool is_interrupted() const { return is_interrupted_; }
  void Interrupt() { is_interrupted_ = true; }

 private:
  void AwaitTick();

  boost::asio::io_context io_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer tick_;
  std::function<void()> on_tick_;
  bool is_interrupted_ = false;
};

}  // namespace confab::loadgen
