#include "control/room/permission.h"

namespace confab::control {

using storage::Role;

bool Permits(Role role, RoomAct act, bool is_public) {
  switch (act) {
    case RoomAct::kShow:
      return is_public || role >= Role::kReader;
    case RoomAct::kListMembers:
    case RoomAct::kSubscribe:
    case RoomAct::kRead:
      return role >= Role::kReader;
    case RoomAct::kPost:
      return role >= Role::kMember;
    case RoomAct::kManageMembers:
      return role >= Role::kModerator;
    case RoomAct::kManageModerators:
      return role >= Role::kOwner;
  }
  return false;
}

RoomAct ActToManage(Role role) {
  return role >= Role::kModerator ? RoomAct::kManageModerators : RoomAct::kManageMembers;
}

}  // namespace confab::control
