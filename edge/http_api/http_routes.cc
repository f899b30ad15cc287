#include "edge/http_api/http_routes.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "edge/http_api/notify_request.h"

namespace confab::edge {
namespace {

namespace json = boost::json;
using Caller = ApiRoute::Caller;

uint32_t Clamp(int64_t number) {
  return static_cast<uint32_t>(std::min<int64_t>(number, UINT32_MAX));
}

v1::Role RoleOf(std::string_view word) {
  if (word == "owner") return v1::ROLE_OWNER;
  if (word == "moderator") return v1::ROLE_MODERATOR;
  if (word == "member") return v1::ROLE_MEMBER;
  if (word == "reader") return v1::ROLE_READER;
  return v1::ROLE_UNSPECIFIED;
}

// An entry is a user's id, or an object with userId and role.
void ReadMember(RequestFields& in, const json::value& entry, v1::FirstMember& member) {
  const json::object* object = entry.if_object();
  if (object == nullptr) {
    const json::object wrapped({{"members", entry}});
    return in.BodyId(wrapped, "members", true, *member.mutable_user_id());
  }
  in.BodyId(*object, "userId", true, *member.mutable_user_id());
  std::string role;
  in.BodyText(*object, "role", role);
  member.set_role(RoleOf(role));
  if (!role.empty() && member.role() == v1::ROLE_UNSPECIFIED) {
    in.Refuse("role", "must be owner, moderator, member or reader");
  }
}

void ReadCreateRoom(RequestFields& in, v1::Command& command) {
  v1::CreateRoom& create = *command.mutable_create_room();
  in.BodyId(in.body(), "roomId", false, *create.mutable_room_id());
  in.BodyText(in.body(), "topic", *create.mutable_topic());
  std::string visibility = "private";
  in.BodyText(in.body(), "visibility", visibility);
  if (visibility != "private" && visibility != "public") {
    in.Refuse("visibility", "must be private or public");
  }
  create.set_visibility(visibility == "public" ? v1::ROOM_VISIBILITY_PUBLIC
                                               : v1::ROOM_VISIBILITY_PRIVATE);
  const json::value* members = RequestFields::Find(in.body(), "members");
  if (members == nullptr) return;
  if (!members->is_array()) return in.Refuse("members", "must be an array");
  for (const json::value& entry : members->get_array()) {
    ReadMember(in, entry, *create.add_members());
  }
}

void ReadGetRoom(RequestFields& in, v1::Command& command) {
  in.RoomId(*command.mutable_get_room()->mutable_room_id());
}

// null removes an entry.
void ReadMetadata(RequestFields& in, v1::RoomChanges& changes) {
  const json::value* metadata = RequestFields::Find(in.body(), "metadata");
  if (metadata == nullptr) return;
  if (!metadata->is_object()) return in.Refuse("metadata", "must be an object");
  for (const auto& [key, value] : metadata->get_object()) {
    const std::string name(key.data(), key.size());
    if (value.is_null()) {
      changes.add_remove_metadata(name);
    } else if (const json::string* text = value.if_string()) {
      (*changes.mutable_set_metadata())[name] = std::string(text->data(), text->size());
    } else {
      return in.Refuse("metadata", "has texts, or null for what is to be removed");
    }
  }
}

void ReadUpdateRoom(RequestFields& in, v1::Command& command) {
  v1::UpdateRoom& update = *command.mutable_update_room();
  in.RoomId(*update.mutable_room_id());
  v1::RoomChanges& changes = *update.mutable_changes();
  if (RequestFields::Find(in.body(), "topic") != nullptr) {
    in.BodyText(in.body(), "topic", *changes.mutable_topic());
  }
  std::string visibility;
  in.BodyText(in.body(), "visibility", visibility);
  if (visibility == "public") changes.set_visibility(v1::ROOM_VISIBILITY_PUBLIC);
  if (visibility == "private") changes.set_visibility(v1::ROOM_VISIBILITY_PRIVATE);
  if (!visibility.empty() && changes.visibility() == v1::ROOM_VISIBILITY_UNSPECIFIED) {
    in.Refuse("visibility", "must be private or public");
  }
  if (const auto is_set = in.BodyBool(in.body(), "isArchived")) changes.set_is_archived(*is_set);
  if (const auto is_set = in.BodyBool(in.body(), "isReadOnly")) changes.set_is_read_only(*is_set);
  if (const auto seconds = in.BodyNumber(in.body(), "slowModeSeconds")) {
    changes.set_slow_mode_seconds(Clamp(*seconds));
  }
  ReadMetadata(in, changes);
}

v1::ChangeMember& ReadChange(RequestFields& in, v1::Command& command) {
  v1::ChangeMember& change = *command.mutable_change_member();
  in.RoomId(*change.mutable_room_id());
  in.BodyId(in.body(), "userId", true, *change.mutable_user_id());
  return change;
}

v1::Role ReadRole(RequestFields& in, bool is_required) {
  std::string word;
  in.BodyText(in.body(), "role", word);
  const v1::Role role = RoleOf(word);
  if (role == v1::ROLE_UNSPECIFIED && (is_required || !word.empty())) {
    in.Refuse("role", "must be owner, moderator, member or reader");
  }
  return role;
}

uint32_t ReadSeconds(RequestFields& in) {
  return Clamp(in.BodyNumber(in.body(), "seconds").value_or(0));
}

void ReadAddMember(RequestFields& in, v1::Command& command) {
  ReadChange(in, command).set_add(ReadRole(in, false));
}

void ReadSetRole(RequestFields& in, v1::Command& command) {
  ReadChange(in, command).set_role(ReadRole(in, true));
}

void ReadKick(RequestFields& in, v1::Command& command) { ReadChange(in, command).mutable_remove(); }

void ReadBan(RequestFields& in, v1::Command& command) {
  ReadChange(in, command).mutable_ban()->set_seconds(ReadSeconds(in));
}

void ReadUnban(RequestFields& in, v1::Command& command) { ReadChange(in, command).mutable_unban(); }

void ReadMute(RequestFields& in, v1::Command& command) {
  ReadChange(in, command).mutable_mute()->set_seconds(ReadSeconds(in));
}

void ReadUnmute(RequestFields& in, v1::Command& command) {
  ReadChange(in, command).mutable_unmute();
}

void ReadListRooms(RequestFields& in, v1::Command& command) {
  v1::ListRooms& list = *command.mutable_list_rooms();
  if (const auto limit = in.QueryNumber("limit")) list.set_page_size(Clamp(*limit));
  in.QueryText("pageToken", *list.mutable_page_token());
}

void ReadListMembers(RequestFields& in, v1::Command& command) {
  v1::ListMembers& list = *command.mutable_list_members();
  in.RoomId(*list.mutable_room_id());
  if (const auto limit = in.QueryNumber("limit")) list.set_page_size(Clamp(*limit));
  in.QueryText("pageToken", *list.mutable_page_token());
}

void ReadListBans(RequestFields& in, v1::Command& command) {
  ReadListMembers(in, command);
  command.mutable_list_members()->set_is_of_banned(true);
}

void ReadJoin(RequestFields& in, v1::Command& command) {
  in.RoomId(*command.mutable_become_member()->mutable_room_id());
}

void ReadLeave(RequestFields& in, v1::Command& command) {
  in.RoomId(*command.mutable_quit_room()->mutable_room_id());
}

void ReadHistory(RequestFields& in, v1::Command& command) {
  v1::GetHistory& history = *command.mutable_get_history();
  in.RoomId(*history.mutable_room_id());
  if (const auto seq = in.QueryNumber("beforeSeq")) history.set_before_seq(*seq);
  if (const auto seq = in.QueryNumber("afterSeq")) history.set_after_seq(*seq);
  if (const auto time = in.QueryTime("since")) *history.mutable_since() = *time;
  if (const auto time = in.QueryTime("until")) *history.mutable_until() = *time;
  if (const auto limit = in.QueryNumber("limit")) history.set_limit(Clamp(*limit));
}

// What a message says; one of content and body at least.
template <typename Message>
void ReadContent(RequestFields& in, Message& message) {
  if (RequestFields::Find(in.body(), "content") == nullptr &&
      RequestFields::Find(in.body(), "body") == nullptr) {
    in.Refuse("content", "is missing");
  }
  in.BodyText(in.body(), "content", *message.mutable_content());
  in.BodyJson("body", *message.mutable_body_json());
  in.BodyIds("mentions", *message.mutable_mentions());
}

void ReadPostMessage(RequestFields& in, v1::Command& command) {
  v1::PostMessage& post = *command.mutable_post_message();
  in.RoomId(*post.mutable_room_id());
  ReadContent(in, post);
  in.BodyText(in.body(), "type", *post.mutable_type());
  in.BodyText(in.body(), "replyTo", *post.mutable_reply_to());
  in.Key("clientMsgId", *post.mutable_client_msg_id());
}

void ReadEditMessage(RequestFields& in, v1::Command& command) {
  v1::EditMessage& edit = *command.mutable_edit_message();
  in.RoomId(*edit.mutable_room_id());
  in.PathId("messageId", 1, *edit.mutable_message_id());
  ReadContent(in, edit);
}

void ReadDeleteMessage(RequestFields& in, v1::Command& command) {
  in.RoomId(*command.mutable_delete_message()->mutable_room_id());
  in.PathId("messageId", 1, *command.mutable_delete_message()->mutable_message_id());
}

void ReadMarkRead(RequestFields& in, v1::Command& command) {
  v1::MarkRead& mark = *command.mutable_mark_read();
  in.RoomId(*mark.mutable_room_id());
  if (const auto seq = in.BodyNumber(in.body(), "seq")) {
    mark.set_seq(*seq);
  } else {
    in.Refuse("seq", "is missing");
  }
}

void ReadPublish(RequestFields& in, v1::Command& command) {
  v1::Publish& publish = *command.mutable_publish();
  in.ServiceToken(*publish.mutable_service_token());
  in.BodyId(in.body(), "roomId", true, *publish.mutable_room_id());
  ReadContent(in, publish);
  in.BodyText(in.body(), "type", *publish.mutable_type());
  in.BodyText(in.body(), "replyTo", *publish.mutable_reply_to());
  in.Key("idempotencyKey", *publish.mutable_idempotency_key());
  const json::value* sender = RequestFields::Find(in.body(), "sender");
  if (sender == nullptr) return;
  if (!sender->is_object()) return in.Refuse("sender", "must be an object");
  in.BodyId(sender->get_object(), "id", true, *publish.mutable_sender()->mutable_id());
  in.BodyText(sender->get_object(), "name", *publish.mutable_sender()->mutable_name());
}

constexpr ApiRoute kRoutes[] = {
    {"GET", "/rooms", Caller::kUser, false, 200, ReadListRooms},
    {"POST", "/rooms", Caller::kUser, true, 201, ReadCreateRoom},
    {"GET", "/rooms/{roomId}", Caller::kUser, false, 200, ReadGetRoom},
    {"PATCH", "/rooms/{roomId}", Caller::kUser, true, 200, ReadUpdateRoom},
    {"POST", "/rooms/{roomId}/join", Caller::kUser, false, 200, ReadJoin},
    {"POST", "/rooms/{roomId}/leave", Caller::kUser, false, 200, ReadLeave},
    {"GET", "/rooms/{roomId}/members", Caller::kUser, false, 200, ReadListMembers},
    {"POST", "/rooms/{roomId}/members", Caller::kUser, true, 200, ReadAddMember},
    {"POST", "/rooms/{roomId}/role", Caller::kUser, true, 200, ReadSetRole},
    {"POST", "/rooms/{roomId}/kick", Caller::kUser, true, 200, ReadKick},
    {"GET", "/rooms/{roomId}/bans", Caller::kUser, false, 200, ReadListBans},
    {"POST", "/rooms/{roomId}/ban", Caller::kUser, true, 200, ReadBan},
    {"POST", "/rooms/{roomId}/unban", Caller::kUser, true, 200, ReadUnban},
    {"POST", "/rooms/{roomId}/mute", Caller::kUser, true, 200, ReadMute},
    {"POST", "/rooms/{roomId}/unmute", Caller::kUser, true, 200, ReadUnmute},
    {"GET", "/rooms/{roomId}/history", Caller::kUser, false, 200, ReadHistory},
    {"POST", "/rooms/{roomId}/messages", Caller::kUser, true, 201, ReadPostMessage},
    {"PATCH", "/rooms/{roomId}/messages/{messageId}", Caller::kUser, true, 200, ReadEditMessage},
    {"DELETE", "/rooms/{roomId}/messages/{messageId}", Caller::kUser, false, 200,
     ReadDeleteMessage},
    {"POST", "/rooms/{roomId}/read", Caller::kUser, true, 200, ReadMarkRead},
    {"POST", "/publish", Caller::kService, true, 201, ReadPublish},
    {"POST", "/notify", Caller::kService, true, 200, ReadNotify},
    {"GET", "/health", Caller::kAnybody},
    {"GET", "/openapi.json", Caller::kAnybody},
};

}  // namespace

std::span<const ApiRoute> ApiRoutes() { return kRoutes; }

}  // namespace confab::edge
