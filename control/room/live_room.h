// live_room.h: a room on its lane; runs its commands in order, one decision at a time.
// Owns: what is cached of the room, commands that wait, the log follower.
// Used by: room_lane.
// Threads: confined to the lane.
// Fails: each command is answered exactly once; what waits too long is refused as UNAVAILABLE.
//
// A command that cannot be decided yet waits at the head of the queue, and everything behind it:
// for the room or its pairs to be loaded, for a membership write to be applied (the barrier), or
// for the log to be read up to the version of the member list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "control/room/command_runner.h"
#include "control/room/lane_tools.h"
#include "control/room/room.h"
#include "control/room/room_command.h"
#include "control/room/room_log_follower.h"
#include "control/room/room_receipts.h"
#include "control/room/room_typing.h"
#include "control/room/waiting_commands.h"
#include "storage/records.h"

namespace confab::control {

class LiveRoom final : private RoomLogFollower::Owner {
 public:
  // DESIGN 4: commands that wait while a room is loaded for the first time.
  static constexpr size_t kLoadingLimit = 256;
  // Behind a barrier or a missing pair: what one edge may have under way, so that a whole edge
  // may join one room at once.
  static constexpr size_t kWaitingLimit = 4096;
  // Pairs asked for by one read: a crowd that joins is loaded in few reads.
  static constexpr size_t kLoadUsersLimit = 512;

  LiveRoom(storage::RoomId id, LaneTools& tools);
  LiveRoom(const LiveRoom&) = delete;
  LiveRoom& operator=(const LiveRoom&) = delete;

  const storage::RoomId& id() const { return id_; }

  void Submit(std::unique_ptr<RoomCommand> command);
  // The answer of the commit queue; in order of the commits.
  void OnCommitted(std::unique_ptr<RoomCommand> command);
  // For what needs no decision: releases, detached edges, running tails.
  RoomAudience& audience() { return log_.audience(); }
  // The store has removed or emptied events of the log.
  void ForgetLog() { log_.reader().Forget(); }

  // Nothing waits, nobody listens: may be destroyed.
  bool is_idle() const {
    return waiting_.empty() && pending_ == 0 && log_.is_idle() && typing_.is_idle() &&
           receipts_.is_idle();
  }
  uint64_t used = 0;  // Kept by room_lane: when the room was last asked for.

  // Refuses everything that waits and ends the tails.
  void Stop();

 private:
  using Command = std::unique_ptr<RoomCommand>;

  static constexpr absl::Duration kRetryMin = absl::Milliseconds(20);
  static constexpr absl::Duration kRetryMax = absl::Milliseconds(500);

  // RoomLogFollower::Owner
  void OnMemberEvent(const storage::NewEvent& event, int64_t seq, absl::Time at) override;
  void OnSettled(Command command) override;
  void OnSynced() override { Pump(); }
  void OnSyncFailed() override { ExpireWaiting(); }
  void OnGone() override;
  void OnEdgeSettled(const Attachment& edge) override;

  // --- The queue. Run: false, the command waits, and what wakes it is under way.
  bool Run(Command& command);
  bool Do(Step step, Command& command);
  bool IsToPark(const RoomCommand& command) const;
  void Pump();
  void ExpireWaiting();
  void Write(Command command, bool is_barrier);

  // --- Reading for commands.
  void Load(const RoomCommand& first);
  void AddMissing(const RoomCommand& command, std::vector<storage::UserId>& users);
  void OnLoaded(absl::StatusOr<storage::RoomSnapshot> snapshot);
  void OnAbsent();
  void RetryLater();
  void ReadPage(Command command);
  void OnPageRead(Command command, const absl::Status& status);
  void Scan(const AnnounceRequest& announce);
  void OnScanned(absl::StatusOr<storage::EventPage> page);

  bool is_blocked() const { return is_loading_ || has_barrier_ || is_draining_; }

  // --- Outcomes.
  void Apply(Command command);
  void OnFailed(Command command);
  void OnStale(Command command);
  void OnRoomJob(Command command);
  void OnPointer(Command command);
  void Drop();
  void RefuseOrSettle(RoomCommand& command, const absl::Status& why);

  const storage::RoomId id_;
  LaneTools& tools_;
  std::optional<Room> room_;  // Empty: not loaded.
  RoomLogFollower log_;
  RoomTyping typing_;
  RoomReceipts receipts_;
  CommandRunner runner_;
  WaitingCommands waiting_;
  bool is_pumping_ = false;
  bool is_loading_ = false;  // A read that the head waits for is under way.
  bool is_stale_ = false;    // The member list has changed: load it before deciding.
  bool is_absent_ = false;   // The store has just said that there is no such room.
  bool has_barrier_ = false;
  // A write came back to be decided again: those sent after it may come back too, and nothing
  // must be decided before they are in their places.
  bool is_draining_ = false;
  size_t writes_ = 0;   // Under way.
  size_t pending_ = 0;  // Writes, reads and delays that will come back.
  uint64_t orders_ = 0;
  absl::Duration retry_after_ = kRetryMin;
};

}  // namespace confab::control
