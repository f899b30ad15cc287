// user_lane.h: the users and roles of one lane: which edges hold their topics, who is online, and
// what they are told.
// Owns: topics, presence and its rounds; what a turn gathers for edges.
// Used by: dispatch.
// Threads: confined to the lane, except the constructor (before the lane runs).
// Fails: never.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "confab/v1/edge_link.pb.h"

#include "control/fanout/edge_outbox.h"
#include "control/fanout/edge_registry.h"
#include "control/fanout/own_topics.h"
#include "control/lane/lane.h"
#include "control/lane/read_gate.h"
#include "control/presence/presence_lanes.h"
#include "control/presence/presence_rounds.h"
#include "control/presence/presence_sink.h"
#include "control/presence/presence_tracker.h"
#include "control/presence/user_news.h"
#include "storage/records.h"
#include "storage/store.h"

namespace confab::process {
class Gauge;
class Metrics;
}  // namespace confab::process

namespace confab::control {

// Is told of connections that open; notification_lane is it.
class ConnectionWatch {
 public:
  virtual void OnOpened(const std::shared_ptr<Attachment>& edge,
                        const OpenedConnection& opened) = 0;

 protected:
  ~ConnectionWatch() = default;
};

class UserLane final : private PresenceRounds::Home {
 public:
  // Before the lane runs; outlives this object.
  void SetWatch(ConnectionWatch* watch) { watch_ = watch; }

  // DESIGN 4: presence is coalesced by as much.
  // Watched users from which on those whom nobody watches any more are looked for.
  static constexpr size_t kSweepWatchers = 10'000;
  static constexpr absl::Duration kTick = absl::Milliseconds(250);

  struct Parts {
    size_t index = 0;
    Lane* lane = nullptr;
    ReadPool* readers = nullptr;
    size_t reads_limit = 1;  // Of this lane at a time.
    storage::Store* store = nullptr;
    PresenceLanes* lanes = nullptr;
    process::Metrics* metrics = nullptr;
    PresenceTimes times;
    absl::Duration settle;  // Nobody is told of presence so long from Start on.
  };
  explicit UserLane(const Parts& parts);
  UserLane(const UserLane&) = delete;
  UserLane& operator=(const UserLane&) = delete;

  void Start();
  // REQUIRES: the read pool has stopped.
  void Stop();

  // --- What edges say.
  void Take(const UserNews& news);
  // The edge is there (again), with these connections and no others.
  void Attach(const UserNews& news);
  void Detach(const Attachment& edge);

  // --- What rooms say. As MemberWatch.
  void OnMember(const storage::UserId& user, const storage::RoomId& room, int64_t added_seq);
  void OnSubscribed(const storage::UserId& user, const std::shared_ptr<Attachment>& edge,
                    uint64_t connection);

  // How far a user of this lane has read a room, for his connections.
  void OnRead(const storage::UserId& user, const v1::Signal& signal, const Passed& passed) {
    topics_.Signal(TopicOfUser(user.value), signal, passed);
  }

  // Sends `what` to topics of users and roles of this lane. Returns how many connections have them.
  size_t Broadcast(absl::Span<const std::string> topics, const v1::Broadcast& what) {
    return topics_.Broadcast(topics, what);
  }
  OwnTopics::Audience AudienceOf(const std::string& topic) const {
    return topics_.AudienceOf(topic);
  }
  PresenceRounds& rounds() { return rounds_; }

  // --- What services and operators ask.
  PresenceView Look(const storage::UserId& user) const { return tracker_.ViewOf(user); }
  std::vector<TrackedConnection> ConnectionsOf(const storage::UserId& user) const {
    return tracker_.ConnectionsOf(user);
  }
  std::vector<storage::UserId> UsersWithConnections(const storage::UserId& after,
                                                    size_t limit) const {
    return tracker_.UsersWithConnections(after, limit);
  }
  // Offers who of these users of this lane is online, then each change.
  void Watch(const std::vector<storage::UserId>& users, const std::shared_ptr<PresenceSink>& sink);
  void WatchAll(const std::shared_ptr<PresenceSink>& sink);
  // Closes the user's connections, or the one of that edge and number. Returns how many.
  size_t Kick(const storage::UserId& user,
              const std::optional<std::pair<std::string, uint64_t>>& one);

  // The lane's turn end: hands over what the turn gathered.
  void EndTurn() { outbox_.Flush(); }

 private:
  // PresenceRounds::Home
  PresenceView ViewOf(const storage::UserId& user) const override { return tracker_.ViewOf(user); }
  void Tell(const std::vector<storage::UserId>& users, const v1::Signal& signal) override;
  std::vector<Seat> SeatsOf(const storage::UserId& user) const override;
  void TellOne(const Seat& seat, const v1::Signal& signal) override;
  void OnTold(const SharedView& view) override;

  void SweepWatchers();
  void OfferIfOnline(const storage::UserId& user, PresenceSink& sink) const;
  void Tick();
  void EndSilence();
  template <typename Visit>
  void ForEachConnected(Visit visit) const;
  bool IsCurrent(const Attachment& edge) const;
  absl::Time Now() const { return TimeOf(lane_.now()); }
  absl::Time TimeOf(std::chrono::steady_clock::time_point time) const;

  Lane& lane_;
  process::Gauge& online_gauge_;
  // A wall clock that never jumps.
  const absl::Time wall_start_;
  const std::chrono::steady_clock::time_point steady_start_;
  const absl::Duration settle_;
  absl::Time silent_until_;
  EdgeOutbox outbox_;
  OwnTopics topics_;
  ConnectionWatch* watch_ = nullptr;
  ReadGate reads_;
  PresenceTracker tracker_;
  PresenceRounds rounds_;
  std::map<std::string, std::shared_ptr<Attachment>> edges_;  // The latest stream of each.
  absl::flat_hash_map<storage::UserId, PresenceSinks> watchers_;
  size_t sweep_watchers_at_ = kSweepWatchers;
  PresenceSinks watchers_of_all_;
};

}  // namespace confab::control
