// commit_forecast.h: how long what is to be written now would wait for it, and what is better
// refused at once. It says so in the order in which things are given up: sends first, then whatever
// else appends to a log, never the rest.
// Owns: what the committer tells of itself.
// Used by: commit_queue (tells), room_lane (asks, once a turn).
// Threads: SetWaiting under the queue's lock; Sees… on the committer's thread; At on any. It reads
// one figure after the other; they need not be of the same moment.
// Fails: never.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace confab::control {

class CommitForecast {
 public:
  using Clock = std::chrono::steady_clock;
  using Duration = std::chrono::nanoseconds;

  // When nothing was written for so long this is no hiccup: a checkpoint, a failing-over disk, a
  // database that is restarted in passing. Those are waited for.
  static constexpr Duration kAwayAfter = std::chrono::milliseconds(750);
  // A store that is that slow all the time is not away before its usual time has passed so often.
  static constexpr int kAwayFactor = 4;
  // Shorter waits are nobody's concern, and nothing is looked at one by one.
  static constexpr Duration kTightFrom = std::chrono::milliseconds(100);
  // Refused senders come back soon enough to be early, and not so soon that they are a load.
  static constexpr Duration kRetryMin = std::chrono::milliseconds(100);
  static constexpr Duration kRetryMax = std::chrono::seconds(5);
  // From one attempt to reach a failing store to the next.
  static constexpr Duration kProbeEvery = std::chrono::milliseconds(200);
  // When a writer has stood open for so long, what failed before may be over though no send has shown
  // it: what is no send may keep the committer too busy for a probe. Sends are let in again, in doubt:
  // of a store that opens and does not write (its disk is full) they would learn that one by one.
  static constexpr Duration kTrustAfter = std::chrono::seconds(1);
  // What comes in doubt is told so soon; one attempt has failed by then.
  static constexpr Duration kDoubtPatience = std::chrono::milliseconds(100);
  // Without a send that failed for so long there is no doubt: at night nobody sends any.
  static constexpr Duration kForgetAfter = std::chrono::seconds(30);

  enum class Rank {
    kSend,    // A message, its change, a notification into an inbox: whoever sent it has it still.
    kChange,  // Members and rules of a room: those who moderate come before those who write.
    kOther,
  };

  struct Outlook {
    Duration wait{};
    Duration retry{};  // When to ask again, before it is bounded.
    // Nothing is written, and it does not look as if it would be soon.
    bool is_away = false;
    // The committer has a writer and nothing to do: what comes now finds out.
    bool takes_probe = false;
    // The store was away, and nothing has been written since.
    bool is_in_doubt = false;

    bool is_tight() const { return is_away || is_in_doubt || wait >= kTightFrom; }
    // Until when what is let in of this rank may wait to be written.
    Clock::time_point Deadline(Rank rank, Clock::time_point now, Clock::time_point deadline) const;
    // What would not be written before `deadline` in any case.
    bool Refuses(Rank rank, Clock::time_point now, Clock::time_point deadline) const;
    // True once, if it takes a probe; who comes after that need not wait for long to ask again.
    bool TakeProbe();
    uint32_t retry_after_ms() const;
  };

  // `batch`: jobs that one turn takes at most.
  CommitForecast(size_t batch, Duration away_after);
  CommitForecast(const CommitForecast&) = delete;
  CommitForecast& operator=(const CommitForecast&) = delete;

  void SetWaiting(size_t jobs) { waiting_.store(jobs, std::memory_order_relaxed); }
  // A turn of the committer, from taking jobs to having answers for all of them. `is_usual`: it
  // says something about the next.
  void SeesTurn(Clock::time_point now, bool is_usual);
  void SeesTurnEnd(Clock::time_point now);
  void SeesWriter(Clock::time_point now);
  void SeesNoWriter(Clock::time_point now);  // Before the failure that closed it is told.
  // Sends were not written, or could not have been; they were.
  void SeesFailure(Clock::time_point now);
  void SeesSuccess() { failing_since_.store(kNever, std::memory_order_relaxed); }

  Outlook At(Clock::time_point now) const;

 private:
  using Ticks = Duration::rep;  // Of Clock, as nanoseconds.
  static constexpr Ticks kNever = 0;
  static constexpr int kSmoothing = 8;  // Turns that make up the usual time.

  static Ticks TicksOf(Clock::time_point time);

  const size_t batch_;
  const Duration away_after_;
  std::atomic<size_t> waiting_{0};
  std::atomic<Ticks> turn_since_{kNever};
  std::atomic<Ticks> failing_since_{kNever};
  std::atomic<Ticks> usual_{0};  // Of a turn.
  std::atomic<Ticks> writer_since_{kNever};
  bool is_usual_ = false;  // The turn under way, so far.
};

}  // namespace confab::control
