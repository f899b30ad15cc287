// broadcast_ring.h: which events the newest broadcasts of this edge were: for a client that names the
// last broadcast it has, the first event of each of its rooms that it lacks. Pure.
// Owns: the entries, some 10 MB.   Used by: distributor, where recovery is on.
// Threads: caller serialises.
// Fails: never; of what lies too far back it knows nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

namespace confab::edge {

class BroadcastRing {
 public:
  // Two minutes of 1,000 events a second, which is as long as a lost session is kept.
  static constexpr std::size_t kEntries = 131'072;

  explicit BroadcastRing(std::size_t entries = kEntries);

  // The broadcast `n` was that event. REQUIRES: `n` is greater than all before it, and not 0.
  void Add(std::uint64_t n, std::string_view room, std::int64_t seq);

  // False: of the broadcasts behind `n` some are forgotten already.
  bool ReachesBackTo(std::uint64_t n) const { return n >= forgotten_; }

  // The room's first event behind the broadcast `n`; nullopt: there was none. In O(log) of its
  // events: a storm of clients that come back asks this while broadcasts wait.
  // REQUIRES: ReachesBackTo(n).
  std::optional<std::int64_t> FirstBehind(std::string_view room, std::uint64_t n) const;

 private:
  // Places count from 1 and are used once; one that is forgotten is as good as none (0).
  using Place = std::uint64_t;

  // The events of a room are a list that leads back, with jumps of growing length: an entry jumps
  // over two jumps of equal length before it, or else to the one before it.
  struct Entry {
    std::uint64_t room = 0;  // Hashed, with a seed that differs by process.
    std::int64_t seq = 0;
    std::uint64_t n = 0;  // 0: not in use yet.
    Place before = 0;
    Place jump = 0;
    std::uint32_t jump_length = 0;
  };

  const Entry* Find(Place place) const;
  void Forget(const Entry& entry, Place place);

  std::vector<Entry> entries_;
  Place next_ = 1;
  std::uint64_t forgotten_ = 0;                       // Number of the newest entry that was.
  absl::flat_hash_map<std::uint64_t, Place> newest_;  // Of each room that has an entry.
};

}  // namespace confab::edge
