// room_presence.h: who of each room is online, for the rooms of one lane.
// Owns: rooms with a member who is online, or that are watched.
// Used by: presence_rounds (Meet, by way of the lanes), dispatch.
// Threads: confined to the lane, except the constructor (before the lane runs).
// Fails: never; while the store does not say how large a room is, its members' meetings wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "control/lane/lane.h"
#include "control/lane/read_gate.h"
#include "control/presence/presence_sink.h"
#include "control/presence/presence_view.h"
#include "storage/records.h"
#include "storage/store.h"

namespace confab::control {

class RoomPresence {
 public:
  using RoomId = storage::RoomId;
  using UserId = storage::UserId;

  // DESIGN 4: in larger rooms presence is told on demand alone.
  static constexpr int64_t kToldMembersLimit = 200;
  static constexpr absl::Duration kRetry = absl::Seconds(1);

  // `reads`: of this lane at a time.
  RoomPresence(Lane& lane, ReadPool& readers, size_t reads, storage::Store& store)
      : lane_(lane), store_(store), reads_(lane, readers, reads) {}
  RoomPresence(const RoomPresence&) = delete;
  RoomPresence& operator=(const RoomPresence&) = delete;

  // A user as these rooms shall see him from now on; offline: not at all.
  struct Meeting {
    SharedView view;
    std::vector<RoomId> rooms;
    std::vector<RoomId> fresh;  // Of these rooms: those he has just become a member of.
  };
  // Who is online in those of the rooms that are not too large, without him; some more than once.
  struct Peers {
    std::vector<SharedView> all;
    std::vector<SharedView> fresh;  // Of the fresh rooms.
  };
  using Done = absl::AnyInvocable<void(Peers)>;
  void Meet(Meeting meeting, Done done);

  // The user is not in the room any more. Returns who of it is online and was told of him.
  std::vector<UserId> Leave(const RoomId& room, const UserId& user);
  // The room has one member more, or less.
  void OnMember(const RoomId& room, bool is_member);
  // The room is gone. Returns who of it was online.
  std::vector<UserId> Drop(const RoomId& room);

  struct Page {
    std::vector<SharedView> users;  // In order of their ids.
    bool has_more = false;
    int64_t online_count = 0;
  };
  Page PageOf(const RoomId& room, const UserId& after, size_t limit) const;

  // Offers who is online in the room, then each change.
  void Watch(const RoomId& room, std::shared_ptr<PresenceSink> sink);

  // REQUIRES: the read pool has stopped.
  void Stop();

 private:
  struct Waiting {
    Meeting meeting;
    Done done;
    size_t counts_missing = 0;
  };
  struct Room {
    absl::btree_map<UserId, SharedView> online;
    PresenceSinks watchers;
    int64_t members = -1;                           // Not known yet.
    std::vector<std::shared_ptr<Waiting>> waiting;  // For it to be known.
  };

  static void Set(Room& room, const SharedView& view);
  void Count(const RoomId& id);
  void OnCounted(const RoomId& id, const absl::StatusOr<int64_t>& members);
  void Finish(Waiting& waiting);
  void Gather(const RoomId& id, const UserId& without, std::vector<SharedView>& peers) const;
  void DropIfUnused(const RoomId& id);

  Lane& lane_;
  storage::Store& store_;
  ReadGate reads_;
  absl::flat_hash_map<RoomId, std::unique_ptr<Room>> rooms_;
};

}  // namespace confab::control
