// presence_rounds.h: tells users who share a room how each other's presence changes.
// Owns: of each user who is online the rooms, and what others were last told.
// Used by: user_lane.
// Threads: confined to the lane.
// Fails: never; while the store does not say what rooms a user has, the user's rounds wait.
//
// One user has one round at a time: the lanes of his rooms are told how he looks now and answer who
// else is online there. From the union of these each connection is told once, however many rooms
// are shared; and from it his own new connections get their snapshot. Rooms take the new look before
// they answer, so of two who meet at least one hears of the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "confab/v1/types.pb.h"

#include "control/fanout/edge_registry.h"
#include "control/lane/lane.h"
#include "control/lane/read_gate.h"
#include "control/presence/presence_lanes.h"
#include "control/presence/presence_view.h"
#include "control/presence/room_presence.h"
#include "storage/store.h"

namespace confab::control {

class PresenceRounds {
 public:
  using RoomId = storage::RoomId;
  using UserId = storage::UserId;

  // Rooms by which one user meets others; those with greater ids are left out.
  static constexpr int32_t kRoomsLimit = 1'000;
  // Begun in one turn: a crowd is spread over the next ones, so that rooms go on.
  static constexpr size_t kRoundsLimit = 1'000;
  // Told of at once; who shares rooms with more asks room by room (getPresence). At 128 bytes an id
  // 256 KiB: a quarter of what an edge keeps for a connection.
  static constexpr size_t kSnapshotUsers = 2'000;
  // As RoomAudience's: a quarter of what may wait for an edge.
  static constexpr size_t kCongestedBytes = 8 * 1024 * 1024;
  static constexpr absl::Duration kRetry = absl::Seconds(1);

  // What the rounds need of their lane; user_lane is it.
  class Home {
   public:
    virtual PresenceView ViewOf(const UserId& user) const = 0;
    // To every connection of these users, which live on this lane.
    virtual void Tell(const std::vector<UserId>& users, const v1::Signal& signal) = 0;
    struct Seat {
      std::shared_ptr<Attachment> edge;
      uint64_t connection = 0;
    };
    virtual std::vector<Seat> SeatsOf(const UserId& user) const = 0;
    virtual void TellOne(const Seat& seat, const v1::Signal& signal) = 0;
    // Others were told so, or would have been.
    virtual void OnTold(const SharedView& view) = 0;

   protected:
    ~Home() = default;
  };

  struct Parts {
    size_t lane_index = 0;
    Lane* lane = nullptr;
    ReadGate* reads = nullptr;
    storage::Store* store = nullptr;
    PresenceLanes* lanes = nullptr;
  };
  PresenceRounds(const Parts& parts, Home& home) : parts_(parts), home_(home) {}
  PresenceRounds(const PresenceRounds&) = delete;
  PresenceRounds& operator=(const PresenceRounds&) = delete;

  // While silent nobody is told anything; the rooms know all the same.
  void SetSilent(bool is_silent) { is_silent_ = is_silent; }

  // The user may look different now.
  void Want(const UserId& user);
  // The connection, or all of the user's, shall be told who is online.
  void WantSnapshot(const UserId& user, Home::Seat seat);
  void WantSnapshots(const UserId& user);
  void OnMember(const UserId& user, const RoomId& room, bool is_member);

  // Begins the rounds that are wanted; called again and again.
  void Begin(absl::Time now);

  // --- From other lanes.
  void OnPeers(const UserId& user, RoomPresence::Peers peers);
  // Users of this lane are told how somebody looks now.
  void Deliver(const std::vector<UserId>& users, const SharedView& view, const v1::Signal& signal);

 private:
  struct Person {
    std::set<RoomId> rooms;
    bool has_rooms = false;                     // They were read.
    std::vector<std::pair<RoomId, bool>> late;  // Changed while they were being read.
    std::vector<RoomId> fresh;                  // Joined since the last round.
    SharedView told;                            // How others know the user; null: offline.
    std::vector<Home::Seat> seats;              // They want a snapshot.
    bool wants_snapshots = false;               // All connections want one.
    bool is_wanted = false;                     // Stands in wanted_.
    absl::Time not_before = absl::InfinitePast();

    // Of the round under way.
    bool is_running = false;
    SharedView view;
    bool is_changed = false;
    size_t answers_missing = 0;
    RoomPresence::Peers peers;
    std::vector<SharedView> news;  // Told of others meanwhile, which the peers may not show yet.
  };

  static void TellLeft(std::vector<UserId> peers, PresenceLanes& lanes);
  bool IsCongested(const UserId& user, const Person& person) const;
  // False: not now.
  bool Run(const UserId& user, Person& person, absl::Time now);
  void ReadRooms(const UserId& user, Person& person);
  void OnRooms(const UserId& user, const absl::StatusOr<std::vector<storage::RoomRecord>>& rooms);
  void Meet(const UserId& user, Person& person);
  void Finish(const UserId& user, Person& person);
  void TellPeers(const std::vector<SharedView>& peers, const SharedView& view);
  void TellSnapshots(const UserId& user, Person& person, const std::vector<SharedView>& peers);
  Person& PersonOf(const UserId& user);
  Person* Find(const UserId& user);

  const Parts parts_;
  Home& home_;
  bool is_silent_ = false;
  uint64_t versions_ = 0;  // Of this lane's users.
  absl::flat_hash_map<UserId, std::unique_ptr<Person>> persons_;
  std::vector<UserId> wanted_;
};

// As clients are told.
v1::Presence ToMessage(const PresenceView& view);

}  // namespace confab::control
