#include "control/presence/user_lane.h"

#include <algorithm>
#include <variant>

#include <absl/time/clock.h>

#include "process/log.h"
#include "process/metrics.h"

namespace confab::control {

using storage::RoomId;
using storage::UserId;

namespace {

constexpr uint32_t kForbidden = 4503;  // Of DESIGN 7: final.

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

PresenceRounds::Parts RoundsOf(const UserLane::Parts& parts, ReadGate& reads) {
  return {parts.index, parts.lane, &reads, parts.store, parts.lanes};
}

}  // namespace

UserLane::UserLane(const Parts& parts)
    : lane_(*parts.lane),
      online_gauge_(parts.metrics->AddGauge("confab_control_users_online",
                                            "Users that others are told are online")),
      wall_start_(absl::Now()),
      steady_start_(std::chrono::steady_clock::now()),
      settle_(parts.settle),
      topics_(outbox_),
      reads_(lane_, *parts.readers, parts.reads_limit),
      tracker_(parts.times),
      rounds_(RoundsOf(parts, reads_), *this) {}

absl::Time UserLane::TimeOf(std::chrono::steady_clock::time_point time) const {
  return wall_start_ + absl::FromChrono(time - steady_start_);
}

void UserLane::Start() {
  silent_until_ = Now() + settle_;
  rounds_.SetSilent(true);
  Tick();
}

void UserLane::Stop() {
  reads_.Stop();
  EndAll(watchers_of_all_);
  for (const auto& [user, watchers] : watchers_) EndAll(watchers);
}

void UserLane::Tick() {
  lane_.Delay(kTick, [this] { Tick(); });
  if (silent_until_ != absl::InfinitePast() && silent_until_ <= Now()) EndSilence();
  for (const auto& [id, edge] : edges_) tracker_.Refresh(id, TimeOf(edge->heard_at()));
  const PresenceTracker::Outcome outcome = tracker_.Advance(Now());
  for (const std::string& id : outcome.lapsed_edges) {
    const auto edge = edges_.find(id);
    if (edge == edges_.end()) continue;
    // If it is there after all, it has to say anew what it has.
    edge->second->stream().Close(absl::AbortedError("the edge's lease has lapsed"));
    process::LogWarn("an edge's lease has lapsed", {{"edge", id}});
    edges_.erase(edge);
  }
  for (const UserId& user : outcome.changed) rounds_.Want(user);
  rounds_.Begin(Now());
}

// Whoever is here may have missed anything since the control before.
void UserLane::EndSilence() {
  silent_until_ = absl::InfinitePast();
  rounds_.SetSilent(false);
  ForEachConnected([&](const UserId& user) { rounds_.WantSnapshots(user); });
}

template <typename Visit>
void UserLane::ForEachConnected(Visit visit) const {
  constexpr size_t kPage = 1'000;
  UserId last;
  while (true) {
    const std::vector<UserId> users = tracker_.UsersWithConnections(last, kPage);
    for (const UserId& user : users) visit(user);
    if (users.size() < kPage) return;
    last = users.back();
  }
}

// --- What edges say

bool UserLane::IsCurrent(const Attachment& edge) const {
  const auto found = edges_.find(edge.edge_id());
  return found != edges_.end() && found->second.get() == &edge;
}

void UserLane::Take(const UserNews& news) {
  const std::string& edge_id = news.edge->edge_id();
  const bool is_current = IsCurrent(*news.edge);
  const absl::Time now = Now();
  for (const UserNews::Item& item : news.items) {
    std::visit(
        Overloaded{
            [&](const OpenedConnection& opened) {
              topics_.Add(TopicOfUser(opened.user.value), news.edge);
              if (watch_ != nullptr) watch_->OnOpened(news.edge, opened);
              if (!is_current) return;
              tracker_.Open(edge_id, opened, now);
              rounds_.WantSnapshot(opened.user, {news.edge, opened.connection});
            },
            [&](const ClosedConnection& closed) {
              topics_.Remove(TopicOfUser(closed.user.value), *news.edge);
              if (is_current) tracker_.Close(edge_id, closed, now);
            },
            [&](const HeartbeatHeard& heard) {
              if (is_current) tracker_.Heartbeat(edge_id, heard.connection, now);
            },
            [&](const StatusChosen& chosen) {
              tracker_.Choose(chosen.user, chosen.status, chosen.text);
            },
            [&](const RoleTaken& taken) { topics_.Add(TopicOfRole(taken.role), news.edge); },
            [&](const RoleGiven& given) { topics_.Remove(TopicOfRole(given.role), *news.edge); },
        },
        item);
  }
}

void UserLane::Attach(const UserNews& news) {
  edges_[news.edge->edge_id()] = news.edge;
  std::vector<OpenedConnection> connections;
  for (const UserNews::Item& item : news.items) {
    if (const auto* opened = std::get_if<OpenedConnection>(&item)) connections.push_back(*opened);
  }
  tracker_.Attach(news.edge->edge_id(), news.edge->epoch(), connections, Now());
  Take(news);  // Which finds the connections there; the rest of it is new.
}

void UserLane::Detach(const Attachment& edge) {
  topics_.Detach(edge);
  if (IsCurrent(edge)) tracker_.Detach(edge.edge_id());
}

// --- What rooms say

void UserLane::OnMember(const UserId& user, const RoomId& room, int64_t added_seq) {
  rounds_.OnMember(user, room, added_seq > 0);
  if (added_seq == 0) return;
  v1::Broadcast notice;
  notice.mutable_membership()->set_room_id(room.value);
  notice.mutable_membership()->set_seq(added_seq);
  const std::string topic = TopicOfUser(user.value);
  topics_.Broadcast(absl::MakeSpan(&topic, 1), notice);
}

void UserLane::OnSubscribed(const UserId& user, const std::shared_ptr<Attachment>& edge,
                            uint64_t connection) {
  if (IsCurrent(*edge)) rounds_.WantSnapshot(user, {edge, connection});
}

// --- Telling

void UserLane::Tell(const std::vector<UserId>& users, const v1::Signal& signal) {
  std::vector<std::string> topics;
  topics.reserve(users.size());
  for (const UserId& user : users) topics.push_back(TopicOfUser(user.value));
  v1::Broadcast broadcast;
  *broadcast.mutable_signal() = signal;
  topics_.Broadcast(topics, broadcast);
}

std::vector<UserLane::Seat> UserLane::SeatsOf(const UserId& user) const {
  std::vector<Seat> seats;
  for (const TrackedConnection& connection : tracker_.ConnectionsOf(user)) {
    const auto edge = edges_.find(connection.edge_id);
    if (edge != edges_.end()) seats.push_back({edge->second, connection.connection});
  }
  return seats;
}

void UserLane::TellOne(const Seat& seat, const v1::Signal& signal) {
  v1::Direct& direct = *outbox_.Add(seat.edge).mutable_direct();
  direct.set_connection(seat.connection);
  *direct.mutable_signal() = signal;
}

void UserLane::OnTold(const SharedView& view) {
  OfferToAll(watchers_of_all_, view);
  const auto watchers = watchers_.find(view->user);
  if (watchers == watchers_.end()) return;
  OfferToAll(watchers->second, view);
  if (watchers->second.empty()) watchers_.erase(watchers);
}

// --- What services and operators ask

void UserLane::OfferIfOnline(const UserId& user, PresenceSink& sink) const {
  const PresenceView view = tracker_.ViewOf(user);
  if (view.is_online) sink.Offer(std::make_shared<PresenceView>(view));
}

// Of users that never change the sinks that are gone would stay.
void UserLane::SweepWatchers() {
  if (watchers_.size() < sweep_watchers_at_) return;
  absl::erase_if(watchers_, [](auto& entry) {
    std::erase_if(entry.second, [](const auto& watcher) { return watcher->is_gone(); });
    return entry.second.empty();
  });
  sweep_watchers_at_ = std::max(kSweepWatchers, 2 * watchers_.size());
}

void UserLane::Watch(const std::vector<UserId>& users, const std::shared_ptr<PresenceSink>& sink) {
  SweepWatchers();
  for (const UserId& user : users) {
    OfferIfOnline(user, *sink);
    PresenceSinks& watchers = watchers_[user];
    std::erase_if(watchers, [](const auto& watcher) { return watcher->is_gone(); });
    watchers.push_back(sink);
  }
}

void UserLane::WatchAll(const std::shared_ptr<PresenceSink>& sink) {
  ForEachConnected([&](const UserId& user) { OfferIfOnline(user, *sink); });
  std::erase_if(watchers_of_all_, [](const auto& watcher) { return watcher->is_gone(); });
  watchers_of_all_.push_back(sink);
}

size_t UserLane::Kick(const UserId& user,
                      const std::optional<std::pair<std::string, uint64_t>>& one) {
  size_t kicked = 0;
  for (const Seat& seat : SeatsOf(user)) {
    if (one && (seat.edge->edge_id() != one->first || seat.connection != one->second)) continue;
    v1::CloseConnection& close = *outbox_.Add(seat.edge).mutable_close_connection();
    close.set_connection(seat.connection);
    close.set_code(kForbidden);
    close.mutable_error()->set_reason(v1::REASON_FORBIDDEN);
    close.mutable_error()->set_message("an operator has ended this connection");
    ++kicked;
  }
  return kicked;
}

}  // namespace confab::control
