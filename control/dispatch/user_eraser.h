// user_eraser.h: empties what one user has written, room by room and step by step beside the
// traffic.
// Owns: the list of rooms; itself, while it runs.
// Used by: dispatcher.
// Threads: one step at a time, on a reader or lane thread.
// Fails: with the status of the step that failed; what was done stays done.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "control/dispatch/dispatcher_types.h"
#include "control/dispatch/room_lanes.h"
#include "control/room/upkeep_job.h"

namespace confab::control {

class UserEraser : public std::enable_shared_from_this<UserEraser> {
 public:
  // As RetentionSweep's.
  static constexpr int kPauseFactor = 4;
  static constexpr absl::Duration kPauseMin = absl::Milliseconds(5);
  static constexpr absl::Duration kReportEvery = absl::Milliseconds(500);

  UserEraser(std::shared_ptr<RoomLanes> lanes, storage::UserId user, Asker asker,
             EraseProgress progress)
      : lanes_(std::move(lanes)),
        user_(std::move(user)),
        asker_(std::move(asker)),
        progress_(std::move(progress)) {}

  void Start();

 private:
  absl::Status ReadRooms(storage::Store& store);
  void Record();
  void Fail(const absl::Status& status);
  void Step(absl::Duration pause);
  void OnStep(const UpkeepJob& job);
  bool Report();  // False: nobody wants to know any more.

  const std::shared_ptr<RoomLanes> lanes_;
  const storage::UserId user_;
  const Asker asker_;
  const EraseProgress progress_;
  std::vector<storage::RoomId> rooms_;
  EraseReport report_;
  int64_t after_seq_ = 0;
  std::chrono::steady_clock::time_point step_began_;
  std::chrono::steady_clock::time_point reported_;
};

}  // namespace confab::control
