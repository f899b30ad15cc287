// window_budget.h: what the windows of a lane's rooms take together, and which were read last.
// Owns: nothing; knows the windows that are open.
// Used by: log_window (for its own entry), room_lane.
// Threads: caller serialises (confined to the lane).
// Fails: never; what is beyond the limit is closed, and read from the store again.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>

namespace confab::control {

class LogWindow;

class WindowBudget {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Of a lane: 32 windows that are full of long messages, some hundred of short ones.
  static constexpr size_t kBytesLimit = 64 * 1024 * 1024;

  explicit WindowBudget(size_t bytes_limit = kBytesLimit) : bytes_limit_(bytes_limit) {}
  WindowBudget(const WindowBudget&) = delete;
  WindowBudget& operator=(const WindowBudget&) = delete;

  bool empty() const { return open_.empty(); }
  size_t bytes() const { return bytes_; }

  // Closes what was not read for longest until the others are within the limit.
  void CloseExcess();
  // Closes what was not read since then.
  void CloseUnread(Time since);

 private:
  friend class LogWindow;

  const size_t bytes_limit_;
  size_t bytes_ = 0;
  std::list<LogWindow*> open_;  // Longest unread first.
};

}  // namespace confab::control
