#include "control/room/permission.h"

namespace confab::control {

using storage::Role;

bool Permits(Role role, RoomAct act) {
  switch (act) {
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
