#include "control/presence/presence_rounds.h"

#include <algorithm>
#include <map>

#include "control/presence/user_lane.h"

namespace confab::control {

using storage::RoomId;
using storage::RoomRecord;
using storage::UserId;

namespace {

// Each user once, in the newest look, by id.
void Unite(std::vector<SharedView>& views) {
  std::sort(views.begin(), views.end(), [](const SharedView& a, const SharedView& b) {
    return a->user != b->user ? a->user < b->user : a->version > b->version;
  });
  const auto last = std::unique(views.begin(), views.end(),
                                [](const auto& a, const auto& b) { return a->user == b->user; });
  views.erase(last, views.end());
}

bool IsJustOnline(const PresenceView& view) {
  return view.status == UserStatus::kOnline && view.text.empty();
}

}  // namespace

v1::Presence ToMessage(const PresenceView& view) {
  v1::Presence presence;
  presence.set_user_id(view.user.value);
  presence.set_is_online(view.is_online);
  if (view.is_online) {
    presence.set_status(static_cast<v1::PresenceStatus>(view.status));
    presence.set_text(view.text);
  } else if (view.last_seen != absl::InfinitePast()) {
    google::protobuf::Timestamp& seen = *presence.mutable_last_seen();
    seen.set_seconds(absl::ToUnixSeconds(view.last_seen));
    seen.set_nanos(static_cast<int32_t>((view.last_seen - absl::FromUnixSeconds(seen.seconds())) /
                                        absl::Nanoseconds(1)));
  }
  return presence;
}

PresenceRounds::Person* PresenceRounds::Find(const UserId& user) {
  const auto found = persons_.find(user);
  return found == persons_.end() ? nullptr : found->second.get();
}

// --- What is wanted

PresenceRounds::Person& PresenceRounds::PersonOf(const UserId& user) {
  std::unique_ptr<Person>& person = persons_[user];
  if (person == nullptr) person = std::make_unique<Person>();
  return *person;
}

void PresenceRounds::Want(const UserId& user) {
  if (!std::exchange(PersonOf(user).is_wanted, true)) wanted_.push_back(user);
}

void PresenceRounds::WantSnapshot(const UserId& user, Home::Seat seat) {
  // One that joins many rooms within a round is told once.
  std::vector<Home::Seat>& seats = PersonOf(user).seats;
  const bool is_there = std::any_of(seats.begin(), seats.end(), [&](const Home::Seat& other) {
    return other.edge == seat.edge && other.connection == seat.connection;
  });
  if (!is_there) seats.push_back(std::move(seat));
  Want(user);
}

void PresenceRounds::WantSnapshots(const UserId& user) {
  PersonOf(user).wants_snapshots = true;
  Want(user);
}

// Who shares no other room with the one who left would take him to be online for ever: they are
// told anew who is.
void PresenceRounds::TellLeft(std::vector<UserId> peers, PresenceLanes& lanes) {
  for (UserId& peer : peers) {
    const size_t lane = lanes.LaneOf(peer);
    lanes.PostToUsers(
        lane, [peer = std::move(peer)](UserLane& users) { users.rounds().WantSnapshots(peer); });
  }
}

void PresenceRounds::OnMember(const UserId& user, const RoomId& room, bool is_member) {
  Person* person = Find(user);
  if (person == nullptr) return;
  if (!person->has_rooms) {
    person->late.emplace_back(room, is_member);
    return;
  }
  if (!is_member) {
    person->rooms.erase(room);
    std::erase(person->fresh, room);
    // Behind a meeting that may be on its way there.
    parts_.lanes->PostToRooms(parts_.lanes->LaneOf(room),
                              [room, user, lanes = parts_.lanes](RoomPresence& rooms) {
                                TellLeft(rooms.Leave(room, user), *lanes);
                              });
  } else if (person->rooms.insert(room).second) {
    person->fresh.push_back(room);
  }
  WantSnapshots(user);
}

// --- Rounds

void PresenceRounds::Begin(absl::Time now) {
  const std::vector<UserId> wanted = std::exchange(wanted_, {});
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (i >= kRoundsLimit) {
      wanted_.push_back(wanted[i]);
      continue;
    }
    Person& person = PersonOf(wanted[i]);
    person.is_wanted = false;
    if (!Run(wanted[i], person, now)) Want(wanted[i]);
  }
}

// Snapshots are large, and everybody wants one when an edge is back: they wait until its stream has
// taken what it has.
bool PresenceRounds::IsCongested(const UserId& user, const Person& person) const {
  const auto waits = [](const Home::Seat& seat) {
    return seat.edge->stream().queued_bytes() > kCongestedBytes;
  };
  if (std::any_of(person.seats.begin(), person.seats.end(), waits)) return true;
  if (!person.wants_snapshots) return false;
  const std::vector<Home::Seat> seats = home_.SeatsOf(user);
  return std::any_of(seats.begin(), seats.end(), waits);
}

bool PresenceRounds::Run(const UserId& user, Person& person, absl::Time now) {
  if (person.is_running || now < person.not_before || IsCongested(user, person)) return false;
  const PresenceView view = home_.ViewOf(user);
  if (!view.is_online && person.told == nullptr) {
    persons_.erase(user);  // Nobody was told of him.
    return true;
  }
  person.is_running = true;
  person.is_changed = person.told == nullptr || !view.SameAs(*person.told);
  person.view = person.told;
  if (person.is_changed) {
    auto changed = std::make_shared<PresenceView>(view);
    changed->version = ++versions_;
    person.view = std::move(changed);
  }
  if (person.has_rooms) {
    Meet(user, person);
  } else {
    person.not_before = now + kRetry;
    ReadRooms(user, person);
  }
  return true;
}

void PresenceRounds::ReadRooms(const UserId& user, Person& person) {
  person.late.clear();
  parts_.reads->Read([this, user, store = parts_.store](bool is_stopping) -> Lane::Task {
    absl::StatusOr<std::vector<RoomRecord>> rooms =
        is_stopping ? absl::UnavailableError("control is stopping")
                    : store->ListRooms(RoomId(), user, kRoomsLimit);
    return [this, user, rooms = std::move(rooms)] { OnRooms(user, rooms); };
  });
}

void PresenceRounds::OnRooms(const UserId& user,
                             const absl::StatusOr<std::vector<RoomRecord>>& rooms) {
  Person* person = Find(user);
  if (person == nullptr) return;
  if (!rooms.ok()) {
    person->is_running = false;
    return Want(user);
  }
  for (const RoomRecord& room : *rooms) person->rooms.insert(room.id);
  for (const auto& [room, is_member] : std::exchange(person->late, {})) {
    if (is_member) {
      person->rooms.insert(room);
    } else {
      person->rooms.erase(room);
    }
  }
  person->has_rooms = true;
  person->not_before = absl::InfinitePast();
  Meet(user, *person);
}

void PresenceRounds::Meet(const UserId& user, Person& person) {
  std::map<size_t, RoomPresence::Meeting> meetings;
  for (const RoomId& room : person.rooms) {
    meetings[parts_.lanes->LaneOf(room)].rooms.push_back(room);
  }
  for (RoomId& room : std::exchange(person.fresh, {})) {
    meetings[parts_.lanes->LaneOf(room)].fresh.push_back(std::move(room));
  }
  person.news.clear();
  person.peers = {};
  person.answers_missing = meetings.size();
  if (meetings.empty()) return Finish(user, person);
  for (auto& [lane, meeting] : meetings) {
    meeting.view = person.view;
    parts_.lanes->PostToRooms(lane, [user, meeting = std::move(meeting), lanes = parts_.lanes,
                                     home = parts_.lane_index](RoomPresence& rooms) mutable {
      rooms.Meet(std::move(meeting), [user, lanes, home](RoomPresence::Peers peers) {
        lanes->PostToUsers(home, [user, peers = std::move(peers)](UserLane& users) mutable {
          users.rounds().OnPeers(user, std::move(peers));
        });
      });
    });
  }
}

void PresenceRounds::OnPeers(const UserId& user, RoomPresence::Peers peers) {
  Person* person = Find(user);
  if (person == nullptr || !person->is_running) return;
  auto& all = person->peers.all;
  all.insert(all.end(), peers.all.begin(), peers.all.end());
  auto& fresh = person->peers.fresh;
  fresh.insert(fresh.end(), peers.fresh.begin(), peers.fresh.end());
  if (--person->answers_missing == 0) Finish(user, *person);
}

void PresenceRounds::Finish(const UserId& user, Person& person) {
  person.is_running = false;
  const SharedView view = std::exchange(person.view, nullptr);
  RoomPresence::Peers peers = std::exchange(person.peers, {});
  Unite(peers.all);
  Unite(peers.fresh);
  if (is_silent_) {
    person.seats.clear();  // All get one when the silence ends.
    person.wants_snapshots = false;
  } else {
    TellPeers(person.is_changed ? peers.all : peers.fresh, view);
    if (view->is_online) TellSnapshots(user, person, peers.all);
  }
  if (person.is_changed) home_.OnTold(view);
  if (view->is_online) {
    person.told = view;
    return;
  }
  // Whoever came meanwhile begins anew: his rooms do not know him.
  if (!person.is_wanted) {
    persons_.erase(user);
    return;
  }
  Person anew;
  anew.seats = std::move(person.seats);
  anew.wants_snapshots = person.wants_snapshots;
  anew.is_wanted = true;
  person = std::move(anew);
}

// --- Telling

void PresenceRounds::TellPeers(const std::vector<SharedView>& peers, const SharedView& view) {
  if (peers.empty()) return;
  auto signal = std::make_shared<v1::Signal>();
  *signal->mutable_presence() = ToMessage(*view);
  std::map<size_t, std::vector<UserId>> by_lane;
  for (const SharedView& peer : peers) {
    by_lane[parts_.lanes->LaneOf(peer->user)].push_back(peer->user);
  }
  for (auto& [lane, users] : by_lane) {
    parts_.lanes->PostToUsers(lane, [users = std::move(users), view, signal](UserLane& home) {
      home.rounds().Deliver(users, view, *signal);
    });
  }
}

void PresenceRounds::Deliver(const std::vector<UserId>& users, const SharedView& view,
                             const v1::Signal& signal) {
  for (const UserId& user : users) {
    Person* person = Find(user);
    if (person != nullptr && person->is_running) person->news.push_back(view);
  }
  if (!is_silent_) home_.Tell(users, signal);
}

void PresenceRounds::TellSnapshots(const UserId& user, Person& person,
                                   const std::vector<SharedView>& peers) {
  std::vector<Home::Seat> seats = std::exchange(person.seats, {});
  if (std::exchange(person.wants_snapshots, false)) seats = home_.SeatsOf(user);
  std::vector<SharedView> seen = peers;
  // News of others that came meanwhile are newer than what their rooms said before.
  seen.insert(seen.end(), person.news.begin(), person.news.end());
  person.news.clear();
  if (seats.empty()) return;
  Unite(seen);
  std::erase_if(seen, [](const SharedView& other) { return !other->is_online; });
  if (seen.size() > kSnapshotUsers) seen.resize(kSnapshotUsers);
  std::vector<v1::Signal> signals(1);
  v1::PresenceSnapshot& snapshot = *signals[0].mutable_presence_snapshot();
  for (const SharedView& other : seen) {
    snapshot.add_user_ids(other->user.value);
    if (IsJustOnline(*other)) continue;
    *signals.emplace_back().mutable_presence() = ToMessage(*other);
  }
  for (const Home::Seat& seat : seats) {
    for (const v1::Signal& signal : signals) home_.TellOne(seat, signal);
  }
}

}  // namespace confab::control
