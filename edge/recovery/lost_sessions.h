// lost_sessions.h: the sessions of this edge that can be had back: which connection has one now, and
// what those that were lost had. A session that is asked for is taken out: it lives once.
// Owns: one entry a session.   Used by: edge_recovery, io_thread. Time is a parameter.
// Threads: any thread (guarded by `mu_`).
// Fails: never; over a limit those that were lost first are forgotten.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include "edge/recovery/pid.h"
#include "process/mutex.h"

namespace confab::edge {

// What became of a client that wanted its session back.
enum class RecoveryResult {
  kRecovered,
  kUnknown,     // No such session: too old, ended for good, or of an edge that does not answer.
  kForeign,     // Another user's, or of another dialect or namespace.
  kBadOffset,   // None that names a place in the session, or one too far back.
  kIncomplete,  // The client lacks something that the offset does not tell of.
};
inline constexpr int kRecoveryResultCount = static_cast<int>(RecoveryResult::kIncomplete) + 1;
// As in metric labels: "recovered", "incomplete".
std::string_view WordOf(RecoveryResult result);

// Which offsets say what their client has. Others came before it had got all that it was owed (pages
// of a log are read for one connection alone, and live events of other rooms pass them), so that they
// say too much.
struct GoodOffsets {
  std::uint64_t from_broadcast = 0;
  std::uint64_t from_alone = 0;  // And those of frames that it alone was given, from that one on.
  bool is_none = false;          // Something is still on its way.

  bool Has(std::uint64_t number) const;
};

struct LostSession {
  struct Room {
    std::string id;
    std::int64_t since = 0;     // Everything behind it was sent, or would have been.
    std::int64_t position = 0;  // Up to there.

    // What a client has of it that lacks the room's events from that one on.
    std::int64_t Before(std::int64_t first_lacking) const {
      return std::max(since, std::min(first_lacking - 1, position));
    }
  };

  Pid pid;
  std::string sid;  // The Socket.IO one.
  std::string user_id;
  std::string dialect;
  std::string nsp;
  std::vector<Room> rooms;
  GoodOffsets offsets;

  // What the client has of its rooms is the same, whatever it lacks of the broadcasts.
  bool stands_still() const {
    return std::all_of(rooms.begin(), rooms.end(),
                       [](const Room& room) { return room.since >= room.position; });
  }
};

class LostSessions {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  struct Limits {
    absl::Duration time = absl::Minutes(2);
    std::size_t count = 100'000;           // Half of the connections of an edge at once.
    std::size_t bytes = 64 * 1024 * 1024;  // 640 a session: three rooms.
  };

  explicit LostSessions(const Limits& limits) : limits_(limits) {}

  // The connection has the session.
  void OnLive(const Pid& pid, std::uint64_t connection);
  // The connection had it, and it is not to be had back.
  void OnOver(const Pid& pid, std::uint64_t connection);
  // The connection had it and was lost.
  void Keep(std::uint64_t connection, LostSession&& lost, SteadyTime now);
  // It was taken out for nobody.
  void PutBack(LostSession&& lost, SteadyTime now);

  struct Seeker {
    Pid pid;
    std::string_view user_id;
    std::string_view dialect;
    std::string_view nsp;
  };
  struct Found {
    std::optional<LostSession> session = std::nullopt;  // It is gone here.
    std::uint64_t connection = 0;                       // Not 0: that one has the session still.
    RecoveryResult result = RecoveryResult::kUnknown;   // Where there is no session.
  };
  Found Take(const Seeker& seeker, SteadyTime now);

  // Forgets those whose time is over. Gives how many are lost.
  std::size_t Expire(SteadyTime now);

 private:
  struct Lost {
    LostSession session;
    SteadyTime forget_at;
    std::size_t bytes = 0;
    std::list<Pid>::iterator place;
  };
  struct Entry {
    std::uint64_t connection = 0;  // Of a session that is not lost.
    std::unique_ptr<Lost> lost;
  };

  void Add(Entry& entry, LostSession&& session, SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void KeepLimits(SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Drop(const Pid& pid) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Limits limits_;
  process::Mutex mu_;
  absl::flat_hash_map<Pid, Entry> entries_ ABSL_GUARDED_BY(mu_);
  std::list<Pid> order_ ABSL_GUARDED_BY(mu_);  // Of the lost, as they were lost.
  std::size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace confab::edge
