// hello_reader.h: puts an edge's Hello together from its chunks.
// Owns: what has come so far.   Used by: attached_edge.
// Threads: caller serialises.
// Fails: INVALID_ARGUMENT for chunks that contradict each other or announce too much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include "confab/v1/edge_link.pb.h"

#include "control/dispatch/dispatcher_types.h"

namespace confab::control {

class HelloReader {
 public:
  // Far above what one edge carries; ends a Hello that never ends.
  static constexpr size_t kConnectionsLimit = 1'000'000;
  static constexpr size_t kRoomsLimit = 1'000'000;
  static constexpr size_t kEdgeIdBytesLimit = 128;  // It is part of dedup keys.

  // Adds a chunk; its connections are left for the caller to open. REQUIRES: !is_complete().
  absl::Status Add(v1::Hello& chunk);
  bool is_complete() const { return is_complete_; }

  // REQUIRES: is_complete().
  EdgeAnnouncement Take();

  // Connections with a room whose position was not announced: nobody knows what they have, so
  // their subscriptions end.
  struct Orphan {
    uint64_t connection = 0;
    std::string room;
  };
  const std::vector<Orphan>& orphans() const { return orphans_; }

 private:
  absl::Status AddRooms(v1::Hello& chunk);
  absl::Status AddUsers(const v1::Hello& chunk);

  EdgeAnnouncement hello_;
  absl::flat_hash_map<std::string, size_t> rooms_;  // -> index in hello_.rooms
  std::vector<Orphan> orphans_;
  size_t connections_ = 0;
  bool has_identity_ = false;
  bool is_complete_ = false;
};

}  // namespace confab::control
