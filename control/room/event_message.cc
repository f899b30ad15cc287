#include "control/room/event_message.h"

#include <utility>

namespace confab::control {

using storage::EventKind;
using storage::NewEvent;

namespace {

void FillMessage(NewEvent& event, v1::MessagePosted& message) {
  message.set_message_id(std::move(event.message_id));
  if (event.dedup.space == storage::DedupKey::Space::kClient) {
    message.set_client_msg_id(std::move(event.dedup.key));
  }
  message.set_type(std::move(event.type));
  message.set_content(std::move(event.content));
  message.set_reply_to(std::move(event.reply_to));
}

void FillBody(NewEvent& event, v1::Event& out) {
  switch (event.kind) {
    case EventKind::kMessagePosted:
      FillMessage(event, *out.mutable_message_posted());
      return;
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
  }
}

void FillEvent(const storage::RoomId& room, int64_t seq, absl::Time created_at, NewEvent& event,
               v1::Event& out) {
  out.set_room_id(room.value);
  out.set_seq(seq);
  *out.mutable_created_at() = ToMessage(created_at);
  out.mutable_actor()->set_id(std::move(event.actor.id.value));
  out.mutable_actor()->set_name(std::move(event.actor.name));
  FillBody(event, out);
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

v1::RoomEvent MakeRoomEvent(const storage::RoomId& room, int64_t seq, absl::Time created_at,
                            NewEvent& event) {
  v1::RoomEvent out;
  out.set_actor_email(std::move(event.actor.email));
  FillEvent(room, seq, created_at, event, *out.mutable_event());
  return out;
}

v1::Event MakeEvent(storage::EventRecord& record) {
  v1::Event out;
  FillEvent(record.room, record.seq, record.created_at, record.event, out);
  return out;
}

}  // namespace confab::control
