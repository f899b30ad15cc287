// room_lane.h: the rooms of one lane, and what they share.
// Owns: the rooms in use and the recently used ones; what a turn gathers for others.
// Used by: dispatcher.
// Threads: confined to the lane, except the constructor (before the lane runs).
// Fails: commands are refused by their room; what the commit queue does not take, or would not
// write in time, here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "control/fanout/window_budget.h"
#include "control/lane/lane.h"
#include "control/lane/read_gate.h"
#include "control/room/active_check.h"
#include "control/room/commit_queue.h"
#include "control/room/lane_tools.h"
#include "control/room/live_room.h"
#include "control/room/own_pointers.h"
#include "control/room/retention_sweep.h"
#include "control/room/room_command.h"
#include "storage/store.h"

namespace confab::process {
class Counter;
class Gauge;
class Metrics;
}  // namespace confab::process

namespace confab::control {

class RoomLane {
 public:
  // About 100 MB; beyond it the rooms go that were not used for longest and that nobody follows.
  static constexpr size_t kRoomsLimit = 100'000;
  // A crowd comes back within that; what nobody has read for so long is not kept.
  static constexpr absl::Duration kWindowTime = absl::Seconds(60);

  struct Parts {
    size_t index = 0;
    Lane* lane = nullptr;
    ReadPool* readers = nullptr;
    size_t reads_limit = 1;  // Of this lane at a time.
    ReadPool* activity_reader = nullptr;
    storage::Store* store = nullptr;
    CommitQueue* commits = nullptr;
    MemberWatch* watch = nullptr;
    process::Metrics* metrics = nullptr;
    int32_t receipt_members = 0;
    absl::Duration own_pointers_delay = CommitQueue::kOwnPointersDelay;
  };
  explicit RoomLane(const Parts& parts, size_t rooms_limit = kRoomsLimit);
  RoomLane(const RoomLane&) = delete;
  RoomLane& operator=(const RoomLane&) = delete;

  void Submit(std::vector<std::unique_ptr<RoomCommand>> commands);
  void OnCommitted(CommitQueue::Jobs jobs);

  // The store has removed or emptied events of the room's log.
  void ForgetLog(const storage::RoomId& room);

  // The edges with subscribers of the room.
  std::vector<std::shared_ptr<Attachment>> EdgesOf(const storage::RoomId& room);

  void Release(const Attachment& edge, const storage::RoomId& room, uint64_t subscribes_seen);
  void Detach(const Attachment& edge);
  void ResumeTail(const storage::RoomId& room, const std::shared_ptr<TailSeat>& seat);
  void RemoveTail(const storage::RoomId& room, const std::shared_ptr<TailSeat>& seat);

  // What the store may lack of a user's read pointers: the user's own messages.
  std::vector<storage::PointerMove> OwnPointersOf(const storage::UserId& user) const {
    return own_pointers_.Of(user);
  }

  // Applies retention from now on, for all lanes.
  void SweepRetention(absl::Duration round);

  void Later(absl::Duration delay, Lane::Task task) { tools_.lane.Delay(delay, std::move(task)); }

  // For what is no command of a room.
  void Push(std::unique_ptr<CommitJob> job);

  // The lane's turn end: hands over what the turn gathered.
  void EndTurn();

  // REQUIRES: commit queue and read pools have stopped. Answers everything.
  void Stop();

 private:
  LiveRoom& RoomOf(const storage::RoomId& id);
  LiveRoom* Find(const storage::RoomId& id);
  void DropUnused();
  void PushCommits();
  CommitQueue::Jobs TakeHopeless();
  void WaitForRefused();
  void PushRefused();
  void PlanOwnPointers();
  void WriteOwnPointers();
  void TidyWindows();

  CommitQueue& commit_queue_;
  process::Gauge& rooms_gauge_;
  process::Counter& refused_early_;
  process::Gauge& windows_gauge_;
  const size_t rooms_limit_;
  const absl::Duration own_pointers_delay_;
  ReadGate reads_;
  ReadGate activity_reads_;
  ActiveCheck active_check_;
  WindowBudget windows_;
  int64_t window_bytes_ = 0;          // As the gauge knows it.
  bool is_window_check_due_ = false;  // The next look at what is unread is planned.
  EdgeOutbox outbox_;
  ResultWriter results_;
  CommitQueue::Jobs commits_;
  OwnPointers own_pointers_;
  bool is_write_planned_ = false;  // Of own_pointers_.
  bool waits_for_refused_ = false;
  std::unique_ptr<RetentionSweep> sweep_;
  LaneTools tools_;
  absl::flat_hash_map<storage::RoomId, std::unique_ptr<LiveRoom>> rooms_;
  size_t rooms_kept_ = 0;  // After the last DropUnused; the next comes when that has grown.
  uint64_t uses_ = 0;
};

}  // namespace confab::control
