#include "control/api/translate.h"

#include "control/room/event_message.h"
#include "control/status_reason.h"

namespace confab::control {

void Fill(const storage::RoomRecord& record, v1::Room* room) {
  room->set_id(record.id.value);
  room->set_topic(record.topic);
  room->set_visibility(record.is_public ? v1::ROOM_VISIBILITY_PUBLIC : v1::ROOM_VISIBILITY_PRIVATE);
  room->set_last_seq(record.last_seq);
  *room->mutable_created_at() = ToMessage(record.created_at);
}

void Fill(const storage::MemberRecord& record, v1::Member* member) {
  member->set_user_id(record.user.value);
  member->set_role(ToMessage(record.role));
  *member->mutable_changed_at() = ToMessage(record.changed_at);
}

absl::StatusOr<storage::Role> RoleOf(v1::Role role, storage::Role unset) {
  switch (role) {
    case v1::ROLE_UNSPECIFIED:
      if (unset != storage::Role::kNone) return unset;
      break;
    case v1::ROLE_READER:
      return storage::Role::kReader;
    case v1::ROLE_MEMBER:
      return storage::Role::kMember;
    case v1::ROLE_MODERATOR:
      return storage::Role::kModerator;
    case v1::ROLE_OWNER:
      return storage::Role::kOwner;
    default:
      break;
  }
  return RefusalStatus(v1::REASON_BAD_REQUEST,
                       "role: one of ROLE_READER, ROLE_MEMBER, ROLE_MODERATOR, ROLE_OWNER");
}

absl::StatusOr<std::vector<std::pair<storage::UserId, storage::Role>>> MembersOf(
    const google::protobuf::RepeatedPtrField<v1::NewMember>& members) {
  std::vector<std::pair<storage::UserId, storage::Role>> list;
  for (const v1::NewMember& member : members) {
    const absl::StatusOr<storage::Role> role = RoleOf(member.role(), storage::Role::kMember);
    if (!role.ok()) return role.status();
    list.emplace_back(storage::UserId(member.user_id()), *role);
  }
  return list;
}

}  // namespace confab::control
