// presence_tracker.h: who is online, of the users of one lane: their connections, the leases of the
// edges these came by, their clients' own heartbeats.
// Owns: users with a connection, and the latest ones without.
// Used by: user_lane.
// Threads: caller serialises (confined to the lane). Pure: time is a parameter and never runs back.
// Fails: never; what an edge says of connections nobody knows is passed over.
//
// A connection is live while its edge holds its lease and, if its client has a heartbeat of its own,
// while that does not miss. A user with a live connection is online at once, and offline when there
// has been none for the debounce time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include "control/presence/presence_view.h"
#include "control/presence/user_events.h"
#include "storage/records.h"

namespace confab::control {

struct PresenceTimes {
  absl::Duration lease = absl::Seconds(45);      // Of an edge, refreshed at a third of it.
  absl::Duration heartbeat = absl::Seconds(60);  // Of a client that has one.
  absl::Duration debounce = absl::Seconds(5);    // Before a user without connections is offline.
};

// A connection as an operator may see it.
struct TrackedConnection {
  std::string edge_id;
  uint64_t connection = 0;
  std::string device_id;
  std::string role_context;
  absl::Time since;
  bool is_live = true;
};

class PresenceTracker {
 public:
  using UserId = storage::UserId;

  // Users without a connection that are remembered for their status and when they were last seen;
  // some 10 MB. Beyond it the longest unseen are forgotten.
  static constexpr size_t kRememberedLimit = 50'000;

  explicit PresenceTracker(const PresenceTimes& times, size_t remembered_limit = kRememberedLimit)
      : times_(times), remembered_limit_(remembered_limit) {}

  // --- What edges say.
  // The edge is there (again) with these connections, and no others.
  void Attach(const std::string& edge_id, uint64_t epoch,
              const std::vector<OpenedConnection>& connections, absl::Time now);
  // Its stream has ended. Its lease runs on; heartbeats that cannot come are not missed meanwhile.
  void Detach(const std::string& edge_id);
  // The edge was heard at that time: its lease runs from there.
  void Refresh(const std::string& edge_id, absl::Time heard_at);
  void Open(const std::string& edge_id, const OpenedConnection& opened, absl::Time now);
  void Close(const std::string& edge_id, const ClosedConnection& closed, absl::Time now);
  void Heartbeat(const std::string& edge_id, uint64_t connection, absl::Time now);
  void Choose(const UserId& user, UserStatus status, std::string text);

  // --- What follows.
  struct Outcome {
    std::vector<UserId> changed;            // Users who may look different now.
    std::vector<std::string> lapsed_edges;  // Their leases are over; what they held is gone.
  };
  // Brings everything up to `now`.
  Outcome Advance(absl::Time now);

  // The user as of the last Advance; who is not known is offline.
  PresenceView ViewOf(const UserId& user) const;
  // The user's connections, in order of edge and number.
  std::vector<TrackedConnection> ConnectionsOf(const UserId& user) const;
  // Users behind `after` that have a connection, in order of their ids.
  std::vector<UserId> UsersWithConnections(const UserId& after, size_t limit) const;

  size_t users() const { return users_.size(); }

 private:
  struct User;
  struct Connection {
    User* user = nullptr;
    std::string device_id;
    std::string role_context;
    absl::Time since;
    absl::Time heard_at = absl::InfiniteFuture();  // InfiniteFuture: no heartbeat is awaited.
    bool is_live = true;
  };
  struct Edge {
    uint64_t epoch = 0;
    bool is_attached = true;
    absl::Time heard_at;
    absl::flat_hash_map<uint64_t, Connection> connections;
  };
  struct User {
    UserId id;
    std::vector<std::pair<std::string, uint64_t>> connections;  // Edge id, number; few.
    size_t live = 0;
    bool is_online = false;                          // After the debounce: what others are told.
    absl::Time offline_at = absl::InfiniteFuture();  // Nothing is live: offline then.
    absl::Time last_seen = absl::InfinitePast();
    UserStatus status = UserStatus::kOnline;
    std::string text;
  };
  // Something to look at when its time has come.
  struct Due {
    absl::Time at;
    UserId user;
    std::string edge_id;  // Empty: the user's debounce. Else a heartbeat.
    uint64_t connection = 0;
    absl::Time since;  // The connection's.
    friend bool operator>(const Due& a, const Due& b) { return a.at > b.at; }
  };

  User& UserOf(const UserId& id);
  Connection* Find(const std::string& edge_id, uint64_t number);
  void Add(const std::string& edge_id, Edge& edge, const OpenedConnection& opened, absl::Time now);
  // It is no more, and was last known to be live at `seen_at`. True: it was there.
  bool Drop(const std::string& edge_id, Edge& edge, uint64_t number, absl::Time seen_at,
            absl::Time now);
  void GainLive(User& user);
  void LoseLive(User& user, absl::Time seen_at, absl::Time now);
  void AwaitHeartbeat(const std::string& edge_id, uint64_t number, Connection& connection,
                      absl::Time now);
  void LapseEdges(absl::Time now, Outcome& outcome);
  void LookAtHeartbeat(const Due& due, absl::Time now);
  void LookAtUser(const UserId& user, absl::Time now);
  void RememberOrForget(const User& user);

  const PresenceTimes times_;
  const size_t remembered_limit_;
  std::map<std::string, Edge> edges_;  // Keys stay where they are; few.
  absl::btree_map<UserId, std::unique_ptr<User>> users_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::vector<UserId> changed_;    // Since the last Advance.
  std::deque<UserId> remembered_;  // Who went offline, oldest first; some have come back.
};

}  // namespace confab::control
