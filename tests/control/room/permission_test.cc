#include "control/room/permission.h"

#include <gtest/gtest.h>

namespace confab::control {
namespace {

using storage::Role;

// The whole table, written out so that a change of it is seen.
TEST(Permission, GivesEachRoleWhatTheTableSays) {
  struct Row {
    Role role;
    bool show, list, subscribe, read, post, members, moderators;
  };
  const Row table[] = {
      {Role::kNone, false, false, false, false, false, false, false},
      {Role::kReader, true, true, true, true, false, false, false},
      {Role::kMember, true, true, true, true, true, false, false},
      {Role::kModerator, true, true, true, true, true, true, false},
      {Role::kOwner, true, true, true, true, true, true, true},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(static_cast<int>(row.role));
    EXPECT_EQ(Permits(row.role, RoomAct::kShow), row.show);
    EXPECT_EQ(Permits(row.role, RoomAct::kListMembers), row.list);
    EXPECT_EQ(Permits(row.role, RoomAct::kSubscribe), row.subscribe);
    EXPECT_EQ(Permits(row.role, RoomAct::kRead), row.read);
    EXPECT_EQ(Permits(row.role, RoomAct::kPost), row.post);
    EXPECT_EQ(Permits(row.role, RoomAct::kManageMembers), row.members);
    EXPECT_EQ(Permits(row.role, RoomAct::kManageModerators), row.moderators);
  }
}

TEST(Permission, ShowsAPublicRoomToAnybodyAndNothingMoreOfIt) {
  EXPECT_TRUE(Permits(Role::kNone, RoomAct::kShow, true));
  for (const RoomAct act : {RoomAct::kListMembers, RoomAct::kSubscribe, RoomAct::kRead,
                            RoomAct::kPost, RoomAct::kManageMembers, RoomAct::kManageModerators}) {
    EXPECT_FALSE(Permits(Role::kNone, act, true));
  }
}

TEST(Permission, AsksMoreForModeratorsAndOwners) {
  EXPECT_EQ(ActToManage(Role::kNone), RoomAct::kManageMembers);
  EXPECT_EQ(ActToManage(Role::kReader), RoomAct::kManageMembers);
  EXPECT_EQ(ActToManage(Role::kMember), RoomAct::kManageMembers);
  EXPECT_EQ(ActToManage(Role::kModerator), RoomAct::kManageModerators);
  EXPECT_EQ(ActToManage(Role::kOwner), RoomAct::kManageModerators);
}

}  // namespace
}  // namespace confab::control
