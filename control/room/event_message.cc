#include "control/room/event_message.h"

#include <string>
#include <utility>

#include <absl/strings/str_split.h>
#include <absl/time/clock.h>

#include "control/status_reason.h"
#include "storage/restriction.h"

namespace confab::control {

using storage::EventKind;
using storage::NewEvent;

namespace {

template <typename Message>
void FillContent(NewEvent& event, Message& message) {
  message.set_message_id(std::move(event.message_id));
  message.set_content(std::move(event.content));
  message.set_body_json(std::move(event.body));
  for (storage::UserId& user : event.mentions) message.add_mentions(std::move(user.value));
}

void FillMessage(NewEvent& event, const storage::MessageMarks& marks, v1::MessagePosted& message) {
  FillContent(event, message);
  if (event.dedup.space == storage::DedupKey::Space::kClient) {
    message.set_client_msg_id(std::move(event.dedup.key));
  }
  message.set_type(std::move(event.type));
  message.set_reply_to(std::move(event.reply_to));
  message.set_edited_seq(marks.edited_seq);
  message.set_deleted(marks.is_deleted);
}

template <typename Body>
void FillRestriction(NewEvent& event, Body& body) {
  body.set_user_id(std::move(event.subject.value));
  const auto until = storage::ReadRestriction(event.content);
  if (until && *until != absl::InfiniteFuture()) *body.mutable_until() = ToMessage(*until);
}

template <typename Out>
void FillSettings(const storage::RoomSettings& settings, Out& out) {
  out.set_topic(settings.topic);
  out.set_visibility(settings.is_public ? v1::ROOM_VISIBILITY_PUBLIC : v1::ROOM_VISIBILITY_PRIVATE);
  out.set_is_archived(settings.is_archived);
  out.set_is_read_only(settings.is_read_only);
  out.set_slow_mode_seconds(static_cast<uint32_t>(settings.slow_mode_seconds));
  for (const auto& [key, value] : settings.metadata) (*out.mutable_metadata())[key] = value;
}

void FillUpdate(const NewEvent& event, v1::RoomUpdated& update) {
  for (const auto name : absl::StrSplit(event.type, ',', absl::SkipEmpty())) {
    update.add_changed(std::string(name));
  }
  if (const auto settings = storage::DecodeSettings(event.content)) FillSettings(*settings, update);
}

// Not set: none, or over.
void SetRestriction(absl::Time until, absl::Time now,
                    v1::Restriction* (v1::Member::*mutable_field)(), v1::Member& member) {
  if (until <= now) return;
  v1::Restriction& restriction = *(member.*mutable_field)();
  if (until != absl::InfiniteFuture()) *restriction.mutable_until() = ToMessage(until);
}

void FillBody(NewEvent& event, const storage::MessageMarks& marks, v1::Event& out) {
  switch (event.kind) {
    case EventKind::kMessagePosted:
      FillMessage(event, marks, *out.mutable_message_posted());
      return;
    case EventKind::kMessageEdited:
      FillContent(event, *out.mutable_message_edited());
      out.mutable_message_edited()->set_message_seq(event.target_seq);
      return;
    case EventKind::kMessageDeleted:
      out.mutable_message_deleted()->set_message_id(std::move(event.message_id));
      out.mutable_message_deleted()->set_message_seq(event.target_seq);
      return;
    case EventKind::kNotificationPosted: {
      v1::Notification& notification = *out.mutable_notification_posted()->mutable_notification();
      notification.set_notification_id(std::move(event.message_id));
      notification.set_event(std::move(event.type));
      notification.set_json(std::move(event.content));
      *notification.mutable_created_at() = out.created_at();
      return;
    }
    case EventKind::kMemberAdded:
      out.mutable_member_added()->set_user_id(std::move(event.subject.value));
      out.mutable_member_added()->set_role(ToMessage(event.role));
      return;
    case EventKind::kMemberRemoved:
      out.mutable_member_removed()->set_user_id(std::move(event.subject.value));
      return;
    case EventKind::kMemberRoleChanged:
      out.mutable_member_role_changed()->set_user_id(std::move(event.subject.value));
      out.mutable_member_role_changed()->set_role(ToMessage(event.role));
      return;
    case EventKind::kMemberBanned:
      return FillRestriction(event, *out.mutable_member_banned());
    case EventKind::kMemberUnbanned:
      out.mutable_member_unbanned()->set_user_id(std::move(event.subject.value));
      return;
    case EventKind::kMemberMuted:
      return FillRestriction(event, *out.mutable_member_muted());
    case EventKind::kMemberUnmuted:
      out.mutable_member_unmuted()->set_user_id(std::move(event.subject.value));
      return;
    case EventKind::kRoomUpdated:
      return FillUpdate(event, *out.mutable_room_updated());
  }
}

void FillEvent(const storage::RoomId& room, int64_t seq, absl::Time created_at, NewEvent& event,
               const storage::MessageMarks& marks, v1::Event& out) {
  out.set_room_id(room.value);
  out.set_seq(seq);
  *out.mutable_created_at() = ToMessage(created_at);
  out.mutable_actor()->set_id(std::move(event.actor.id.value));
  out.mutable_actor()->set_name(std::move(event.actor.name));
  FillBody(event, marks, out);
}

}  // namespace

v1::Role ToMessage(storage::Role role) {
  switch (role) {
    case storage::Role::kReader:
      return v1::ROLE_READER;
    case storage::Role::kMember:
      return v1::ROLE_MEMBER;
    case storage::Role::kModerator:
      return v1::ROLE_MODERATOR;
    case storage::Role::kOwner:
      return v1::ROLE_OWNER;
    case storage::Role::kNone:
      break;
  }
  return v1::ROLE_UNSPECIFIED;
}

google::protobuf::Timestamp ToMessage(absl::Time time) {
  constexpr int64_t kMicros = 1'000'000;
  const int64_t micros = absl::ToUnixMicros(time);
  int64_t seconds = micros / kMicros;
  if (micros % kMicros < 0) --seconds;
  google::protobuf::Timestamp message;
  message.set_seconds(seconds);
  message.set_nanos(static_cast<int32_t>((micros - seconds * kMicros) * 1000));
  return message;
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

v1::Room ToMessage(const storage::RoomRecord& record) {
  v1::Room room;
  room.set_id(record.id.value);
  FillSettings(record, room);
  room.set_last_seq(record.last_seq);
  *room.mutable_created_at() = ToMessage(record.created_at);
  return room;
}

v1::Room ToMessage(const storage::MembershipRecord& record) {
  v1::Room room = ToMessage(record.room);
  room.set_read_seq(record.read.seq);
  room.set_unread_count(record.read.unread);
  return room;
}

v1::Member ToMessage(const storage::MemberRecord& record) {
  v1::Member member;
  member.set_user_id(record.user.value);
  member.set_role(ToMessage(record.role));
  if (record.changed_seq > 0) *member.mutable_changed_at() = ToMessage(record.changed_at);
  const absl::Time now = absl::Now();
  SetRestriction(record.muted_until, now, &v1::Member::mutable_muted, member);
  SetRestriction(record.banned_until, now, &v1::Member::mutable_banned, member);
  return member;
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

absl::StatusOr<bool> IsPublic(v1::RoomVisibility visibility) {
  switch (visibility) {
    case v1::ROOM_VISIBILITY_UNSPECIFIED:
    case v1::ROOM_VISIBILITY_PRIVATE:
      return false;
    case v1::ROOM_VISIBILITY_PUBLIC:
      return true;
    default:
      break;
  }
  return RefusalStatus(v1::REASON_BAD_REQUEST,
                       "visibility: ROOM_VISIBILITY_PRIVATE or ROOM_VISIBILITY_PUBLIC");
}

v1::RoomEvent MakeRoomEvent(const storage::RoomId& room, int64_t seq, absl::Time created_at,
                            NewEvent& event, const storage::MessageMarks& marks) {
  v1::RoomEvent out;
  FillRoomEvent(room, seq, created_at, event, marks, out);
  return out;
}

void FillRoomEvent(const storage::RoomId& room, int64_t seq, absl::Time created_at, NewEvent& event,
                   const storage::MessageMarks& marks, v1::RoomEvent& out) {
  out.set_actor_email(std::move(event.actor.email));
  FillEvent(room, seq, created_at, event, marks, *out.mutable_event());
}

v1::Event MakeEvent(storage::EventRecord& record) {
  v1::Event out;
  FillEvent(record, out);
  return out;
}

void FillEvent(storage::EventRecord& record, v1::Event& out) {
  FillEvent(record.room, record.seq, record.created_at, record.event, record.marks, out);
}

}  // namespace confab::control
