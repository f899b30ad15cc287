#include "control/api/translate.h"

#include "control/room/event_message.h"

namespace confab::control {

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
