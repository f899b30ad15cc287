#include "control/presence/presence_tracker.h"

#include <algorithm>
#include <tuple>

namespace confab::control {

using storage::UserId;

PresenceTracker::User& PresenceTracker::UserOf(const UserId& id) {
  std::unique_ptr<User>& user = users_[id];
  if (user == nullptr) {
    user = std::make_unique<User>();
    user->id = id;
  }
  return *user;
}

PresenceTracker::Connection* PresenceTracker::Find(const std::string& edge_id, uint64_t number) {
  const auto edge = edges_.find(edge_id);
  if (edge == edges_.end()) return nullptr;
  const auto connection = edge->second.connections.find(number);
  return connection == edge->second.connections.end() ? nullptr : &connection->second;
}

// --- What edges say

void PresenceTracker::Attach(const std::string& edge_id, uint64_t epoch,
                             const std::vector<OpenedConnection>& connections, absl::Time now) {
  Edge& edge = edges_[edge_id];
  absl::flat_hash_map<uint64_t, const OpenedConnection*> announced;
  if (edge.epoch == epoch) {
    for (const OpenedConnection& connection : connections) {
      announced.emplace(connection.connection, &connection);
    }
  }
  std::vector<uint64_t> gone;  // All, if the edge has started anew: its numbers have too.
  for (auto& [number, connection] : edge.connections) {
    if (!announced.contains(number)) {
      gone.push_back(number);
    } else if (connection.heard_at != absl::InfiniteFuture()) {
      connection.heard_at = now;  // What was sent meanwhile had no way.
    }
  }
  edge.epoch = epoch;
  edge.is_attached = true;
  edge.heard_at = now;
  for (const uint64_t number : gone) Drop(edge_id, edge, number, now, now);
  for (const OpenedConnection& connection : connections) Add(edge_id, edge, connection, now);
}

void PresenceTracker::Detach(const std::string& edge_id) {
  const auto edge = edges_.find(edge_id);
  if (edge != edges_.end()) edge->second.is_attached = false;
}

void PresenceTracker::Refresh(const std::string& edge_id, absl::Time heard_at) {
  const auto edge = edges_.find(edge_id);
  if (edge == edges_.end()) return;
  edge->second.heard_at = std::max(edge->second.heard_at, heard_at);
}

void PresenceTracker::Open(const std::string& edge_id, const OpenedConnection& opened,
                           absl::Time now) {
  const auto edge = edges_.find(edge_id);
  if (edge != edges_.end()) Add(edge_id, edge->second, opened, now);
}

void PresenceTracker::Add(const std::string& edge_id, Edge& edge, const OpenedConnection& opened,
                          absl::Time now) {
  const auto [found, is_new] = edge.connections.try_emplace(opened.connection);
  if (!is_new) return;
  Connection& connection = found->second;
  connection.user = &UserOf(opened.user);
  connection.device_id = opened.device_id;
  connection.role_context = opened.role_context;
  connection.since = now;
  connection.user->connections.emplace_back(edge_id, opened.connection);
  GainLive(*connection.user);
  if (opened.awaits_heartbeat) AwaitHeartbeat(edge_id, opened.connection, connection, now);
}

void PresenceTracker::Close(const std::string& edge_id, const ClosedConnection& closed,
                            absl::Time now) {
  const auto edge = edges_.find(edge_id);
  if (edge != edges_.end()) Drop(edge_id, edge->second, closed.connection, now, now);
}

bool PresenceTracker::Drop(const std::string& edge_id, Edge& edge, uint64_t number,
                           absl::Time seen_at, absl::Time now) {
  const auto found = edge.connections.find(number);
  if (found == edge.connections.end()) return false;
  User& user = *found->second.user;
  const bool was_live = found->second.is_live;
  edge.connections.erase(found);
  std::erase_if(user.connections, [&](const auto& entry) {
    return entry.second == number && entry.first == edge_id;
  });
  if (was_live) LoseLive(user, seen_at, now);
  RememberOrForget(user);
  return true;
}

void PresenceTracker::Heartbeat(const std::string& edge_id, uint64_t number, absl::Time now) {
  Connection* connection = Find(edge_id, number);
  if (connection == nullptr) return;
  if (connection->heard_at == absl::InfiniteFuture()) {
    AwaitHeartbeat(edge_id, number, *connection, now);
  }
  connection->heard_at = now;
  if (connection->is_live) return;
  connection->is_live = true;
  GainLive(*connection->user);
  AwaitHeartbeat(edge_id, number, *connection, now);
}

void PresenceTracker::AwaitHeartbeat(const std::string& edge_id, uint64_t number,
                                     Connection& connection, absl::Time now) {
  connection.heard_at = now;
  due_.push({now + times_.heartbeat, connection.user->id, edge_id, number, connection.since});
}

void PresenceTracker::Choose(const UserId& id, UserStatus status, std::string text) {
  const auto found = users_.find(id);
  if (found == users_.end()) return;
  User& user = *found->second;
  user.status = status;
  user.text = std::move(text);
  changed_.push_back(id);
}

// --- What follows

void PresenceTracker::GainLive(User& user) {
  ++user.live;
  user.offline_at = absl::InfiniteFuture();
  if (user.is_online) return;
  user.is_online = true;
  changed_.push_back(user.id);
}

void PresenceTracker::LoseLive(User& user, absl::Time seen_at, absl::Time now) {
  user.last_seen = std::max(user.last_seen, seen_at);
  if (--user.live > 0) return;
  user.offline_at = now + times_.debounce;
  due_.push({user.offline_at, user.id, {}, 0, {}});
}

PresenceTracker::Outcome PresenceTracker::Advance(absl::Time now) {
  Outcome outcome;
  LapseEdges(now, outcome);
  while (!due_.empty() && due_.top().at <= now) {
    const Due due = due_.top();
    due_.pop();
    if (due.edge_id.empty()) {
      LookAtUser(due.user, now);
    } else {
      LookAtHeartbeat(due, now);
    }
  }
  outcome.changed = std::exchange(changed_, {});
  return outcome;
}

void PresenceTracker::LapseEdges(absl::Time now, Outcome& outcome) {
  for (auto entry = edges_.begin(); entry != edges_.end();) {
    Edge& edge = entry->second;
    if (edge.heard_at + times_.lease > now) {
      ++entry;
      continue;
    }
    std::vector<uint64_t> numbers;
    for (const auto& [number, connection] : edge.connections) numbers.push_back(number);
    for (const uint64_t number : numbers) Drop(entry->first, edge, number, edge.heard_at, now);
    outcome.lapsed_edges.push_back(entry->first);
    entry = edges_.erase(entry);
  }
}

void PresenceTracker::LookAtHeartbeat(const Due& due, absl::Time now) {
  Connection* connection = Find(due.edge_id, due.connection);
  // Another one by the same number, of a later start of the edge, is looked at by itself.
  if (connection == nullptr || connection->user->id != due.user || connection->since != due.since ||
      !connection->is_live) {
    return;
  }
  const bool is_attached = edges_.find(due.edge_id)->second.is_attached;
  const absl::Time missing_at = connection->heard_at + times_.heartbeat;
  if (!is_attached || missing_at > now) {
    due_.push({is_attached ? missing_at : now + times_.heartbeat, due.user, due.edge_id,
               due.connection, due.since});
    return;
  }
  connection->is_live = false;
  LoseLive(*connection->user, connection->heard_at, now);
}

void PresenceTracker::LookAtUser(const UserId& id, absl::Time now) {
  const auto found = users_.find(id);
  if (found == users_.end()) return;
  User& user = *found->second;
  if (user.live > 0 || !user.is_online || user.offline_at > now) return;
  user.is_online = false;
  changed_.push_back(id);
  RememberOrForget(user);
}

// Who has neither a connection nor is thought to be online is kept only as one of the latest.
void PresenceTracker::RememberOrForget(const User& user) {
  if (!user.connections.empty() || user.is_online) return;
  remembered_.push_back(user.id);
  while (remembered_.size() > remembered_limit_) {
    const auto oldest = users_.find(remembered_.front());
    remembered_.pop_front();
    if (oldest == users_.end()) continue;
    const User& forgotten = *oldest->second;
    if (forgotten.connections.empty() && !forgotten.is_online) users_.erase(oldest);
  }
}

PresenceView PresenceTracker::ViewOf(const UserId& id) const {
  PresenceView view;
  view.user = id;
  const auto found = users_.find(id);
  if (found == users_.end()) return view;
  const User& user = *found->second;
  view.is_online = user.is_online;
  if (view.is_online) {
    view.status = user.status;
    view.text = user.text;
  } else {
    view.last_seen = user.last_seen;
  }
  return view;
}

std::vector<TrackedConnection> PresenceTracker::ConnectionsOf(const UserId& id) const {
  std::vector<TrackedConnection> connections;
  const auto found = users_.find(id);
  if (found == users_.end()) return connections;
  for (const auto& [edge_id, number] : found->second->connections) {
    const Connection& connection = edges_.at(edge_id).connections.at(number);
    connections.push_back({edge_id, number, connection.device_id, connection.role_context,
                           connection.since, connection.is_live});
  }
  std::sort(connections.begin(), connections.end(),
            [](const TrackedConnection& a, const TrackedConnection& b) {
              return std::tie(a.edge_id, a.connection) < std::tie(b.edge_id, b.connection);
            });
  return connections;
}

std::vector<UserId> PresenceTracker::UsersWithConnections(const UserId& after, size_t limit) const {
  std::vector<UserId> users;
  for (auto user = users_.upper_bound(after); user != users_.end() && users.size() < limit;
       ++user) {
    if (!user->second->connections.empty()) users.push_back(user->first);
  }
  return users;
}

}  // namespace confab::control
