// kept_sessions.h: sessions of sockets that draining edges have closed, for the edges where their
// clients come back. Pure.
// Owns: the sessions, as bytes, in the order in which they came.   Used by: recoveries.
// Threads: caller serialises. Time is a parameter.
// Fails: never; where there is no room the oldest go, whose clients have waited longest.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include <absl/container/flat_hash_map.h>

#include "confab/v1/recovery.pb.h"

namespace confab::control {

// The session is the one that is asked for, and the asker's.
bool IsAskedFor(const v1::LostSession& session, const v1::RecoveryQuestion& asked);

class KeptSessions {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // As long as an edge keeps its own.
  static constexpr std::chrono::minutes kLife{2};
  // Several edges that are emptied at once, full; of ten rooms each this is half of the bytes.
  static constexpr size_t kCountLimit = 100'000;
  static constexpr size_t kBytesLimit = 64 * 1024 * 1024;

  explicit KeptSessions(size_t count_limit = kCountLimit, size_t bytes_limit = kBytesLimit)
      : count_limit_(count_limit), bytes_limit_(bytes_limit) {}

  // In place of what was kept of the same pid.
  void Keep(const std::string& edge_id, uint64_t epoch, const v1::SessionHandedOver& handed,
            SteadyTime now);

  // The session, if the question names the edge, epoch and number under which it was handed over and
  // all that makes it the asker's: then it is not kept any more. Any other question changes nothing.
  std::optional<v1::LostSession> Take(const v1::RecoveryQuestion& asked, SteadyTime now);

  // What is too old goes; Keep and Take do so too.
  void Tidy(SteadyTime now);

  size_t size() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string edge_id;
    uint64_t epoch = 0;
    uint64_t n = 0;
    std::string pid;
    std::string session;  // Serialised: a fifth of what the message takes.
    SteadyTime until;
  };
  using Entries = std::list<Entry>;

  static size_t BytesOf(const Entry& entry);
  void Drop(Entries::iterator entry);

  const size_t count_limit_;
  const size_t bytes_limit_;
  Entries entries_;  // The oldest first.
  absl::flat_hash_map<std::string, Entries::iterator> by_pid_;
  size_t bytes_ = 0;
};

}  // namespace confab::control
