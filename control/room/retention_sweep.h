// retention_sweep.h: applies the rooms' retention, one small step after the other, for ever.
// Owns: nothing but its place.   Used by: room_lane (that of the first lane).
// Threads: confined to the lane.
// Fails: never; what cannot be done now is tried at the next round.
#pragma once

#include <deque>
#include <memory>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "control/room/lane_tools.h"
#include "control/room/upkeep_job.h"

namespace confab::control {

class RetentionSweep {
 public:
  static constexpr int32_t kPageRooms = 100;
  // Between two steps: at most a fifth of the committer's time goes into them.
  static constexpr int kPauseFactor = 4;
  static constexpr absl::Duration kPauseMin = absl::Milliseconds(5);

  // `round`: from the end of one round over all rooms to the beginning of the next.
  RetentionSweep(LaneTools& tools, absl::Duration round) : tools_(tools), round_(round) {}
  RetentionSweep(const RetentionSweep&) = delete;
  RetentionSweep& operator=(const RetentionSweep&) = delete;

  void Start() { WaitForRound(); }

 private:
  void WaitForRound();
  void ReadRooms();
  void OnRooms(absl::StatusOr<std::vector<storage::RoomId>> rooms);
  void Step();
  void OnStep(const UpkeepJob& job);

  LaneTools& tools_;
  const absl::Duration round_;
  std::deque<storage::RoomId> rooms_;  // Of the present page, still to be done.
  storage::RoomId last_;               // Of the present page.
  std::chrono::steady_clock::time_point step_began_;
};

}  // namespace confab::control
