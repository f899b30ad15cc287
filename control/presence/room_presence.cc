#include "control/presence/room_presence.h"

#include <utility>

#include <absl/status/status.h>

namespace confab::control {

using storage::RoomId;
using storage::UserId;

void RoomPresence::Meet(Meeting meeting, Done done) {
  auto waiting = std::make_shared<Waiting>();
  for (const RoomId& id : meeting.rooms) {
    if (!meeting.view->is_online && !rooms_.contains(id)) continue;
    std::unique_ptr<Room>& room = rooms_[id];
    if (room == nullptr) room = std::make_unique<Room>();
    Set(*room, meeting.view);
    if (!meeting.view->is_online || room->members >= 0) continue;
    room->waiting.push_back(waiting);
    ++waiting->counts_missing;
    if (room->waiting.size() == 1) Count(id);
  }
  waiting->meeting = std::move(meeting);
  waiting->done = std::move(done);
  if (waiting->counts_missing == 0) Finish(*waiting);
}

void RoomPresence::Set(Room& room, const SharedView& view) {
  if (view->is_online) {
    SharedView& seat = room.online[view->user];
    if (seat == view) return;
    seat = view;
  } else if (room.online.erase(view->user) == 0) {
    return;
  }
  OfferToAll(room.watchers, view);
}

// --- How large a room is

void RoomPresence::Count(const RoomId& id) {
  reads_.Read([this, id](bool is_stopping) -> Lane::Task {
    absl::StatusOr<int64_t> members =
        is_stopping ? absl::UnavailableError("control is stopping") : store_.CountMembers(id);
    return [this, id, members = std::move(members)] { OnCounted(id, members); };
  });
}

void RoomPresence::OnCounted(const RoomId& id, const absl::StatusOr<int64_t>& members) {
  const auto found = rooms_.find(id);
  if (found == rooms_.end()) return;
  Room& room = *found->second;
  if (!members.ok() && !absl::IsNotFound(members.status())) {
    return lane_.Delay(kRetry, [this, id] {
      const auto again = rooms_.find(id);
      if (again != rooms_.end() && again->second->members < 0) Count(id);
    });
  }
  room.members = members.ok() ? *members : 0;
  for (const std::shared_ptr<Waiting>& waiting : std::exchange(room.waiting, {})) {
    if (--waiting->counts_missing == 0) Finish(*waiting);
  }
  DropIfUnused(id);
}

// --- Who meets whom

void RoomPresence::Finish(Waiting& waiting) {
  const Meeting& meeting = waiting.meeting;
  Peers peers;
  for (const RoomId& id : meeting.rooms) Gather(id, meeting.view->user, peers.all);
  for (const RoomId& id : meeting.fresh) Gather(id, meeting.view->user, peers.fresh);
  for (const RoomId& id : meeting.rooms) DropIfUnused(id);
  waiting.done(std::move(peers));
}

void RoomPresence::Gather(const RoomId& id, const UserId& without,
                          std::vector<SharedView>& peers) const {
  const auto found = rooms_.find(id);
  if (found == rooms_.end() || found->second->members > kToldMembersLimit) return;
  for (const auto& [user, view] : found->second->online) {
    if (user != without) peers.push_back(view);
  }
}

void RoomPresence::OnMember(const RoomId& id, bool is_member) {
  const auto found = rooms_.find(id);
  if (found == rooms_.end() || found->second->members < 0) return;
  found->second->members += is_member ? 1 : -1;
}

std::vector<UserId> RoomPresence::Leave(const RoomId& id, const UserId& user) {
  std::vector<UserId> peers;
  const auto found = rooms_.find(id);
  if (found == rooms_.end()) return peers;
  Room& room = *found->second;
  const auto seat = room.online.find(user);
  if (seat == room.online.end()) return peers;
  auto gone = std::make_shared<PresenceView>();
  gone->user = user;
  room.online.erase(seat);
  OfferToAll(room.watchers, gone);
  if (room.members <= kToldMembersLimit) {
    for (const auto& [peer, view] : room.online) peers.push_back(peer);
  }
  DropIfUnused(id);
  return peers;
}

void RoomPresence::Stop() {
  reads_.Stop();
  for (const auto& [id, room] : rooms_) EndAll(room->watchers);
}

void RoomPresence::DropIfUnused(const RoomId& id) {
  const auto found = rooms_.find(id);
  if (found == rooms_.end()) return;
  const Room& room = *found->second;
  if (room.online.empty() && room.watchers.empty() && room.waiting.empty()) rooms_.erase(found);
}

std::vector<UserId> RoomPresence::Drop(const RoomId& id) {
  std::vector<UserId> users;
  const auto found = rooms_.find(id);
  if (found == rooms_.end()) return users;
  Room& room = *found->second;
  for (const auto& [user, view] : room.online) users.push_back(user);
  room.online.clear();
  room.members = 0;
  DropIfUnused(id);
  return users;
}

RoomPresence::Page RoomPresence::PageOf(const RoomId& id, const UserId& after, size_t limit) const {
  Page page;
  const auto found = rooms_.find(id);
  if (found == rooms_.end()) return page;
  const auto& online = found->second->online;
  page.online_count = static_cast<int64_t>(online.size());
  auto user = online.upper_bound(after);
  for (; user != online.end() && page.users.size() < limit; ++user) {
    page.users.push_back(user->second);
  }
  page.has_more = user != online.end();
  return page;
}

void RoomPresence::Watch(const RoomId& id, std::shared_ptr<PresenceSink> sink) {
  std::unique_ptr<Room>& room = rooms_[id];
  if (room == nullptr) room = std::make_unique<Room>();
  std::erase_if(room->watchers, [](const auto& watcher) { return watcher->is_gone(); });
  for (const auto& [user, view] : room->online) sink->Offer(view);
  room->watchers.push_back(std::move(sink));
}

}  // namespace confab::control
