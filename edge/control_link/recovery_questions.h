// recovery_questions.h: what the connections of one io thread have asked of other edges about the
// sessions that their clients lost there. Each is told once: what there is, or that there is nothing.
// Owns: who waits.   Used by: io_thread.
// Threads: confined to the io thread. Time is a parameter.
// Fails: Add refuses when too many wait.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace confab::edge {

class RecoveryQuestions {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // A client that connects is not kept waiting longer for what may be gone.
  static constexpr std::chrono::milliseconds kWait{1000};
  // Of one thread; a storm of more begins anew, which costs control less than asking.
  static constexpr std::size_t kCountLimit = 1'024;
  // As recovery.proto has it: enough for 1,000 rooms of the longest names.
  static constexpr std::size_t kSessionBytesLimit = 256 * 1024;

  // `thread_index` becomes the low byte of every ticket.
  explicit RecoveryQuestions(std::uint8_t thread_index) : thread_index_(thread_index) {}

  // The ticket of a connection's question; nullopt: too many wait.
  std::optional<std::uint64_t> Add(std::uint64_t connection, SteadyTime now);
  // The connection that waits for it; nullopt: none does any more.
  std::optional<std::uint64_t> Take(std::uint64_t ticket);
  // A connection that has waited long enough; nullopt: none has.
  std::optional<std::uint64_t> TakeExpired(SteadyTime now);
  // The connection does not wait any more.
  void Drop(std::uint64_t connection);

  std::size_t size() const { return waiting_.size(); }

 private:
  struct Waiting {
    std::uint64_t connection = 0;
    SteadyTime until;
  };

  const std::uint8_t thread_index_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Waiting> waiting_;  // By ticket: in order of time.
};

}  // namespace confab::edge
