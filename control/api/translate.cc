#include "control/api/translate.h"

#include "control/status_reason.h"

namespace confab::control {

void Fill(absl::Time time, google::protobuf::Timestamp* timestamp) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp->set_seconds(seconds);
  timestamp->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

void Fill(const storage::RoomRecord& record, v1::Room* room) {
  room->set_id(record.id.value);
  room->set_topic(record.topic);
  room->set_visibility(record.is_public ? v1::ROOM_VISIBILITY_PUBLIC : v1::ROOM_VISIBILITY_PRIVATE);
  room->set_last_seq(record.last_seq);
  Fill(record.created_at, room->mutable_created_at());
}

void Fill(const storage::MemberRecord& record, v1::Member* member) {
  member->set_user_id(record.user.value);
  member->set_role(ToProto(record.role));
  Fill(record.changed_at, member->mutable_changed_at());
}

void Fill(const storage::EventRecord& record, v1::Event* event) {
  event->set_room_id(record.room.value);
  event->set_seq(record.seq);
  Fill(record.created_at, event->mutable_created_at());
  event->mutable_actor()->set_id(record.event.actor.id.value);
  event->mutable_actor()->set_name(record.event.actor.name);
  switch (record.event.kind) {
    case storage::EventKind::kMessagePosted: {
      v1::MessagePosted* posted = event->mutable_message_posted();
      posted->set_message_id(record.event.message_id);
      if (record.event.dedup.space == storage::DedupKey::Space::kClient) {
        posted->set_client_msg_id(record.event.dedup.key);
      }
      posted->set_type(record.event.type);
      posted->set_content(record.event.content);
      posted->set_reply_to(record.event.reply_to);
      break;
    }
    case storage::EventKind::kMemberAdded:
      event->mutable_member_added()->set_user_id(record.event.subject.value);
      event->mutable_member_added()->set_role(ToProto(record.event.role));
      break;
    case storage::EventKind::kMemberRemoved:
      event->mutable_member_removed()->set_user_id(record.event.subject.value);
      break;
    case storage::EventKind::kMemberRoleChanged:
      event->mutable_member_role_changed()->set_user_id(record.event.subject.value);
      event->mutable_member_role_changed()->set_role(ToProto(record.event.role));
      break;
  }
}

v1::Role ToProto(storage::Role role) {
  switch (role) {
    case storage::Role::kNone:
      return v1::ROLE_UNSPECIFIED;
    case storage::Role::kReader:
      return v1::ROLE_READER;
    case storage::Role::kMember:
      return v1::ROLE_MEMBER;
    case storage::Role::kModerator:
      return v1::ROLE_MODERATOR;
    case storage::Role::kOwner:
      return v1::ROLE_OWNER;
  }
  return v1::ROLE_UNSPECIFIED;
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
