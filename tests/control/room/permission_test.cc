#include "control/room/permission.h"

#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "proto/reason.h"

namespace confab::control {
namespace {

using storage::Role;

struct Column {
  const char* title;
  Standing who;
  bool is_public = false;
};

// Everybody there can be, but for mutes.
const Column kPeople[] = {
    {"stranger, private room", {}, false},
    {"stranger, public room", {}, true},
    {"banned, public room", {Role::kNone, true}, true},
    {"reader", {Role::kReader}, false},
    {"member", {Role::kMember}, false},
    {"moderator", {Role::kModerator}, false},
    {"owner", {Role::kOwner}, false},
    {"service", {Role::kNone, false, false, true}, false},
};

std::string CellOf(RoomAct act, const Standing& who, const RoomRules& room) {
  const v1::Reason reason = Permit(act, who, room);
  return reason == v1::REASON_UNSPECIFIED ? "yes" : std::string(TraitsOf(reason).word);
}

std::string TableOf(const std::string& title, const RoomRules& rules, bool is_muted = false) {
  std::string table = fmt::format("## {}\n\n| act |", title);
  for (const Column& column : kPeople) table += fmt::format(" {} |", column.title);
  table += "\n|---|";
  for (size_t i = 0; i < std::size(kPeople); ++i) table += "---|";
  table += '\n';
  for (const RoomAct act : AllRoomActs()) {
    table += fmt::format("| {} |", WordOf(act));
    for (const Column& column : kPeople) {
      RoomRules room = rules;
      room.is_public = column.is_public;
      Standing who = column.who;
      who.is_muted = is_muted && !who.is_system;
      table += fmt::format(" {} |", CellOf(act, who, room));
    }
    table += '\n';
  }
  return table + '\n';
}

// Each act by everybody in every kind of room. docs/permissions.md is where people review it: it
// ends with exactly this.
TEST(Permission, GivesEverybodyWhatTheDocumentSays) {
  const std::string tables =
      TableOf("In an ordinary room", {}) + TableOf("In a read-only room", {false, false, true}) +
      TableOf("In an archived room", {false, true, false}) + TableOf("While muted", {}, true);
  std::cout << tables;

  std::ifstream file(CONFAB_PERMISSIONS_DOC);
  std::stringstream text;
  text << file.rdbuf();
  const std::string document = text.str() + '\n';
  ASSERT_TRUE(file.is_open());
  EXPECT_TRUE(document.ends_with(tables)) << "docs/permissions.md shows other tables than these";
}

TEST(Permission, GrowsWithTheRole) {
  for (const RoomAct act : AllRoomActs()) {
    for (const bool is_archived : {false, true}) {
      for (const bool is_read_only : {false, true}) {
        bool was_permitted = false;
        for (const Role role : {Role::kReader, Role::kMember, Role::kModerator, Role::kOwner}) {
          const bool is_permitted =
              Permit(act, {role}, {false, is_archived, is_read_only}) == v1::REASON_UNSPECIFIED;
          EXPECT_TRUE(is_permitted || !was_permitted) << WordOf(act);
          was_permitted = is_permitted;
        }
      }
    }
  }
}

TEST(Permission, HasTheRuleOfEachActAtItsPlace) {
  for (size_t i = 0; i < kRoomActs; ++i) {
    EXPECT_EQ(static_cast<size_t>(AllRoomActs()[i]), i);
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
