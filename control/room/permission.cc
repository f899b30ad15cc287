#include "control/room/permission.h"

namespace confab::control {

using storage::Role;

namespace {

struct Rule {
  RoomAct act;
  std::string_view word;
  Role least;              // The role it takes.
  bool is_for_strangers;   // In a public room also who is no member.
  bool ends_with_archive;  // Not in an archived room.
  bool is_speech;          // Not while muted, nor in a read-only room below a moderator.
};

constexpr Rule kRules[kRoomActs] = {
    {RoomAct::kShow, "see the room", Role::kReader, true, false, false},
    {RoomAct::kJoin, "join by oneself", Role::kReader, true, true, false},
    {RoomAct::kListMembers, "list members", Role::kReader, false, false, false},
    {RoomAct::kSubscribe, "subscribe", Role::kReader, false, false, false},
    {RoomAct::kRead, "read history", Role::kReader, false, false, false},
    {RoomAct::kMarkRead, "mark as read", Role::kReader, false, false, false},
    {RoomAct::kType, "show typing", Role::kMember, false, true, true},
    {RoomAct::kPost, "post", Role::kMember, false, true, true},
    {RoomAct::kEditOwn, "edit an own message", Role::kMember, false, true, true},
    {RoomAct::kDeleteOwn, "delete an own message", Role::kReader, false, true, false},
    {RoomAct::kEditOthers, "edit another's message", Role::kModerator, false, true, false},
    {RoomAct::kDeleteOthers, "delete another's message", Role::kModerator, false, true, false},
    {RoomAct::kManageMembers, "manage readers and members", Role::kModerator, false, false, false},
    {RoomAct::kManageModerators, "manage moderators and owners", Role::kOwner, false, false, false},
    {RoomAct::kListBanned, "list the banned", Role::kModerator, false, false, false},
    {RoomAct::kModerateRoom, "change topic, metadata, read-only, slow mode", Role::kModerator,
     false, true, false},
    {RoomAct::kOwnRoom, "change visibility, archive, bring back", Role::kOwner, false, false,
     false},
};

const Rule& RuleOf(RoomAct act) { return kRules[static_cast<size_t>(act)]; }

v1::Reason PermitStranger(const Rule& rule, const Standing& who, const RoomRules& room) {
  if (who.is_banned) return v1::REASON_BANNED;
  if (!room.is_public || !rule.is_for_strangers) return v1::REASON_NOT_A_MEMBER;
  return room.is_archived && rule.ends_with_archive ? v1::REASON_ROOM_ARCHIVED
                                                    : v1::REASON_UNSPECIFIED;
}

}  // namespace

v1::Reason Permit(RoomAct act, const Standing& who, const RoomRules& room) {
  if (who.is_system) return v1::REASON_UNSPECIFIED;
  const Rule& rule = RuleOf(act);
  if (who.role == Role::kNone) return PermitStranger(rule, who, room);
  if (who.role < rule.least) return v1::REASON_FORBIDDEN;
  if (room.is_archived && rule.ends_with_archive) return v1::REASON_ROOM_ARCHIVED;
  if (!rule.is_speech) return v1::REASON_UNSPECIFIED;
  if (room.is_read_only && who.role < Role::kModerator) return v1::REASON_ROOM_READ_ONLY;
  return who.is_muted ? v1::REASON_MUTED : v1::REASON_UNSPECIFIED;
}

const char* MessageOf(v1::Reason reason) {
  switch (reason) {
    case v1::REASON_NOT_A_MEMBER:
      return "you are not a member of this room";
    case v1::REASON_BANNED:
      return "you are banned from this room";
    case v1::REASON_ROOM_ARCHIVED:
      return "this room is archived: it can only be read";
    case v1::REASON_ROOM_READ_ONLY:
      return "only moderators and owners post into this room";
    case v1::REASON_MUTED:
      return "you are muted in this room";
    default:
      return "your role does not permit this";
  }
}

RoomAct ActToManage(Role role) {
  return role >= Role::kModerator ? RoomAct::kManageModerators : RoomAct::kManageMembers;
}

std::string_view WordOf(RoomAct act) { return RuleOf(act).word; }

const std::array<RoomAct, kRoomActs>& AllRoomActs() {
  static const std::array<RoomAct, kRoomActs> acts = [] {
    std::array<RoomAct, kRoomActs> all{};
    for (size_t i = 0; i < kRoomActs; ++i) all[i] = kRules[i].act;
    return all;
  }();
  return acts;
}

}  // namespace confab::control
