#include "control/presence/user_lane.h"

#include <variant>

namespace confab::control {

using storage::RoomId;
using storage::UserId;

namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

void UserLane::Take(const UserNews& news) {
  for (const UserNews::Item& item : news.items) {
    std::visit(
        Overloaded{
            [&](const OpenedConnection& opened) {
              topics_.Add(TopicOfUser(opened.user.value), news.edge);
            },
            [&](const ClosedConnection& closed) {
              topics_.Remove(TopicOfUser(closed.user.value), *news.edge);
            },
            [&](const UserNews::RoleTaken& taken) {
              topics_.Add(TopicOfRole(taken.role), news.edge);
            },
            [&](const UserNews::RoleGiven& given) {
              topics_.Remove(TopicOfRole(given.role), *news.edge);
            },
        },
        item);
  }
}

void UserLane::Detach(const Attachment& edge) { topics_.Detach(edge); }

void UserLane::OnMember(const UserId& user, const RoomId& room) {
  v1::Broadcast notice;
  notice.mutable_membership()->set_room_id(room.value);
  const std::string topic = TopicOfUser(user.value);
  topics_.Broadcast(absl::MakeSpan(&topic, 1), notice);
}

}  // namespace confab::control
