// log_window.h: the newest events of a room that somebody reads behind: whoever comes next is given
// them from memory.
// Owns: its copy of the events.
// Used by: log_reader; room_audience reads it.
// Threads: caller serialises (confined to the room's lane). Pure: no clock, no I/O.
// Fails: never; what does not fit is not kept.
//
// It holds the log from first_seq() to its end without a hole: what is published is appended, what
// was read from the store is put before it. What no longer holds must be forgotten: the store shows
// a message as it is now, and so does this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>

#include "control/fanout/shared_page.h"
#include "control/fanout/window_budget.h"

namespace confab::control {

class LogWindow {
 public:
  using Time = WindowBudget::Time;

  // What a crowd has missed that comes back within seconds, in a lively room.
  static constexpr size_t kEventsLimit = 1024;
  static constexpr size_t kBytesLimit = 2 * 1024 * 1024;
  // What an event takes in memory beside what it says.
  static constexpr size_t kEventOverhead = 512;

  // Of a log that ends with `last_seq`; holds nothing of it yet.
  LogWindow(WindowBudget& budget, int64_t last_seq, Time now);
  ~LogWindow() { Close(); }
  LogWindow(const LogWindow&) = delete;
  LogWindow& operator=(const LogWindow&) = delete;

  // False: the budget has closed it; it holds nothing and takes nothing any more.
  bool is_open() const { return is_open_; }
  // False: what lies between that event of the log and its first does not fit, or is not there.
  bool Takes(int64_t after_seq) const { return after_seq >= floor_; }
  int64_t first_seq() const { return first_seq_; }
  int64_t last_seq() const { return first_seq_ + static_cast<int64_t>(events_.size()) - 1; }
  size_t bytes() const { return bytes_; }
  Time read_at() const { return read_at_; }

  // It holds everything behind that event of the log.
  bool Covers(int64_t after_seq) const {
    return is_open_ && after_seq + 1 >= first_seq_ && after_seq <= last_seq();
  }
  // REQUIRES: Covers(after_seq).
  SharedPage Behind(int64_t after_seq, const PageLimits& limits) const;
  void Touch(Time now);  // Somebody reads it.

  // The next event of the log.
  void Append(SharedEvent event);
  // What the store holds behind that event. All of it has to be as of now.
  void Prepend(int64_t after_seq, const SharedPage& page);

  // The message of that seq is not what it was: it goes, what shows it, and all before that.
  void ForgetMessage(int64_t seq);
  void Clear();
  void Close();

 private:
  static size_t CostOf(const SharedEvent& event) { return event.bytes() + kEventOverhead; }
  void Charge(const SharedEvent& event);
  void DropFirst();
  void DropAll();

  WindowBudget& budget_;
  std::list<LogWindow*>::iterator place_;  // In the budget, while open.
  std::deque<SharedEvent> events_;
  int64_t first_seq_;
  int64_t member_seq_ = 0;  // As of the newest page that was read.
  size_t bytes_ = 0;
  Time read_at_;
  bool is_open_ = true;
  int64_t floor_ = 0;  // What is not behind this event is not put before the others.
};

}  // namespace confab::control
