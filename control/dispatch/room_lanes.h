// room_lanes.h: everything that runs while control is active: lanes with their rooms and users, the
// commit queue and the read pool, put together.
// Owns: all of it.   Used by: dispatcher, running tails.
// Threads: any thread, except Stop (the owner's).
// Fails: commands that come after Stop are refused as UNAVAILABLE.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>

#include "control/dispatch/dispatcher_types.h"
#include "control/lane/lane_set.h"
#include "control/lane/read_pool.h"
#include "control/notification/notification_lane.h"
#include "control/presence/presence_lanes.h"
#include "control/presence/room_presence.h"
#include "control/presence/user_lane.h"
#include "control/room/commit_queue.h"
#include "control/room/member_watch.h"
#include "control/room/room_command.h"
#include "control/room/room_lane.h"
#include "storage/store.h"

namespace confab::control {

class RoomLanes final : public PresenceLanes, private MemberWatch {
 public:
  using Commands = std::vector<std::unique_ptr<RoomCommand>>;

  // REQUIRES: the store is active; it, `metrics` and `edges` outlive Stop.
  RoomLanes(const DispatcherOptions& options, process::Metrics& metrics, storage::Store& store,
            EdgeRegistry& edges, std::function<void(absl::Status)> on_fatal);
  ~RoomLanes();  // Stops.
  RoomLanes(const RoomLanes&) = delete;
  RoomLanes& operator=(const RoomLanes&) = delete;

  // Answers everything and ends the threads.
  void Stop();

  size_t size() const override { return lanes_.size(); }
  size_t LaneOf(const storage::RoomId& room) const override { return lanes_.IndexOf(room.value); }
  size_t LaneOf(const storage::UserId& user) const override { return lanes_.IndexOf(user.value); }
  size_t LaneOfRole(std::string_view role) const { return lanes_.IndexOf(role); }
  size_t LaneOf(const v1::OutgoingNotification& notification) const {
    return lanes_.IndexOf(LaneKeyOf(notification));
  }
  ReadPool& readers() { return readers_; }
  storage::Store& store() { return store_; }

  void Submit(size_t lane, Commands commands);
  void Submit(std::unique_ptr<RoomCommand> command);

  // Runs `task(RoomLane&)` on the lane; not at all after Stop.
  template <typename Task>
  void Post(size_t lane, Task task) {
    lanes_.at(lane).Post(
        [rooms = rooms_[lane].get(), task = std::move(task)]() mutable { task(*rooms); });
  }
  // The same with `task(NotificationLane&)`.
  template <typename Task>
  void PostNotifications(size_t lane, Task task) {
    lanes_.at(lane).Post([notifications = notifications_[lane].get(),
                          task = std::move(task)]() mutable { task(*notifications); });
  }
  void PostToUsers(size_t lane, absl::AnyInvocable<void(UserLane&)> task) override {
    lanes_.at(lane).Post(
        [users = users_[lane].get(), task = std::move(task)]() mutable { task(*users); });
  }
  void PostToRooms(size_t lane, absl::AnyInvocable<void(RoomPresence&)> task) override {
    lanes_.at(lane).Post(
        [rooms = presence_[lane].get(), task = std::move(task)]() mutable { task(*rooms); });
  }

 private:
  // MemberWatch
  void OnMember(const storage::RoomId& room, const storage::UserId& user,
                int64_t added_seq) override;
  void OnSubscribed(const storage::UserId& user, const std::shared_ptr<Attachment>& edge,
                    uint64_t connection) override;
  void OnRead(const storage::UserId& user, v1::Signal signal, Passed passed) override;
  void OnDeleted(const storage::RoomId& room) override;
  void OnLogRewritten(const storage::RoomId& room) override;

  void MakeLane(size_t index, const DispatcherOptions& options, process::Metrics& metrics,
                EdgeRegistry& edges);

  LaneSet lanes_;
  ReadPool readers_;
  // Asks the store whether this control is still the active one, for all lanes. Not one of readers_:
  // the session that holds the lock can hang alone, and each lane would keep a reader waiting for it.
  ReadPool activity_reader_{1};
  storage::Store& store_;
  CommitQueue commits_;
  std::vector<std::unique_ptr<RoomLane>> rooms_;
  std::vector<std::unique_ptr<RoomPresence>> presence_;
  std::vector<std::unique_ptr<UserLane>> users_;
  std::vector<std::unique_ptr<NotificationLane>> notifications_;
};

}  // namespace confab::control
