#include "edge/http_api/http_result.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "edge/http_api/http_path.h"
#include "edge/protocol/json_text.h"
#include "edge/protocol/socketio_codec.h"
#include "proto/reason.h"

namespace confab::edge {
namespace {

// `key` is `"name":` as it stands in the output, with the comma before it.
void AppendText(std::string_view key, std::string_view value, std::string& out) {
  out.append(key);
  AppendJsonString(value, out);
}

void AppendNumber(std::string_view key, int64_t value, std::string& out) {
  out.append(key);
  AppendJsonNumber(value, out);
}

void AppendTime(std::string_view key, const google::protobuf::Timestamp& time, std::string& out) {
  out.append(key);
  AppendJsonTime(time.seconds(), time.nanos(), out);
}

// Elements separated by commas. `write` gives false for what is passed over.
template <typename List, typename Write>
void AppendArray(std::string_view key, const List& list, std::string& out, Write write) {
  out.append(key);
  out.push_back('[');
  bool is_first = true;
  for (const auto& element : list) {
    const size_t before = out.size();
    if (!is_first) out.push_back(',');
    if (write(element, out)) {
      is_first = false;
    } else {
      out.resize(before);
    }
  }
  out.push_back(']');
}

std::string_view WordOf(v1::Role role) {
  if (role == v1::ROLE_OWNER) return "owner";
  if (role == v1::ROLE_MODERATOR) return "moderator";
  if (role == v1::ROLE_MEMBER) return "member";
  return "reader";
}

void AppendBool(std::string_view key, bool value, std::string& out) {
  out.append(key);
  out.append(value ? "true" : "false");
}

// In order of the keys: a map of protobuf has none.
void AppendMap(std::string_view key, const google::protobuf::Map<std::string, std::string>& map,
               std::string& out) {
  const std::map<std::string_view, std::string_view> sorted(map.begin(), map.end());
  out.append(key);
  out.push_back('{');
  for (const auto& [name, value] : sorted) {
    if (out.back() != '{') out.push_back(',');
    AppendJsonString(name, out);
    out.push_back(':');
    AppendJsonString(value, out);
  }
  out.push_back('}');
}

// What a Room and a RoomUpdated have in common, with the comma before it.
template <typename Settings>
void AppendSettings(const Settings& room, std::string& out) {
  AppendText(R"(,"topic":)", room.topic(), out);
  out.append(room.visibility() == v1::ROOM_VISIBILITY_PUBLIC ? R"(,"visibility":"public")"
                                                             : R"(,"visibility":"private")");
  AppendBool(R"(,"isArchived":)", room.is_archived(), out);
  AppendBool(R"(,"isReadOnly":)", room.is_read_only(), out);
  AppendNumber(R"(,"slowModeSeconds":)", room.slow_mode_seconds(), out);
  AppendMap(R"(,"metadata":)", room.metadata(), out);
}

bool AppendRoom(const v1::Room& room, std::string& out) {
  AppendText(R"({"roomId":)", room.id(), out);
  AppendSettings(room, out);
  AppendNumber(R"(,"lastSeq":)", room.last_seq(), out);
  AppendTime(R"(,"createdAt":)", room.created_at(), out);
  if (room.has_read_seq()) AppendNumber(R"(,"readSeq":)", room.read_seq(), out);
  if (room.has_unread_count()) AppendNumber(R"(,"unreadCount":)", room.unread_count(), out);
  if (room.has_member_count()) AppendNumber(R"(,"memberCount":)", room.member_count(), out);
  out.push_back('}');
  return true;
}

// `{}`, or with its end.
void AppendRestriction(std::string_view key, const v1::Restriction& restriction, std::string& out) {
  out.append(key);
  if (restriction.has_until()) {
    AppendTime(R"({"until":)", restriction.until(), out);
    out.push_back('}');
  } else {
    out.append("{}");
  }
}

bool AppendMember(const v1::Member& member, std::string& out) {
  AppendText(R"({"userId":)", member.user_id(), out);
  if (member.role() != v1::ROLE_UNSPECIFIED) AppendText(R"(,"role":)", WordOf(member.role()), out);
  if (member.has_changed_at()) AppendTime(R"(,"changedAt":)", member.changed_at(), out);
  if (member.has_muted()) AppendRestriction(R"(,"muted":)", member.muted(), out);
  if (member.has_banned()) AppendRestriction(R"(,"banned":)", member.banned(), out);
  out.push_back('}');
  return true;
}

void AppendPageToken(std::string_view token, std::string& out) {
  if (!token.empty()) AppendText(R"(,"nextPageToken":)", token, out);
  out.push_back('}');
}

void AppendHead(std::string_view name, const v1::Event& event, std::string& out) {
  AppendText(R"({"event":)", name, out);
  AppendText(R"(,"roomId":)", event.room_id(), out);
  AppendNumber(R"(,"seq":)", event.seq(), out);
}

// The body as it came, which control found to be JSON, and the mentions.
template <typename Message>
void AppendBody(const Message& message, std::string& out) {
  if (!message.body_json().empty()) {
    out.append(R"(,"body":)");
    out.append(message.body_json());
  }
  if (message.mentions_size() == 0) return;
  AppendArray(R"(,"mentions":)", message.mentions(), out,
              [](const std::string& user, std::string& text) {
                AppendJsonString(user, text);
                return true;
              });
}

void AppendMessage(const v1::Event& event, std::string& out) {
  const v1::MessagePosted& message = event.message_posted();
  AppendHead("newMessage", event, out);
  AppendText(R"(,"messageId":)", message.message_id(), out);
  AppendText(R"(,"senderId":)", event.actor().id(), out);
  AppendText(R"(,"sender":{"id":)", event.actor().id(), out);
  AppendText(R"(,"name":)", event.actor().name(), out);
  out.append(R"(},"clientMsgId":)");
  if (message.client_msg_id().empty()) {
    out.append("null");
  } else {
    AppendJsonString(message.client_msg_id(), out);
  }
  AppendText(R"(,"type":)", message.type(), out);
  AppendText(R"(,"content":)", message.content(), out);
  AppendBody(message, out);
  if (!message.reply_to().empty()) AppendText(R"(,"replyTo":)", message.reply_to(), out);
  if (message.edited_seq() > 0) AppendNumber(R"(,"editedSeq":)", message.edited_seq(), out);
  if (message.deleted()) out.append(R"(,"deleted":true)");
}

void AppendEdit(const v1::Event& event, std::string& out) {
  const v1::MessageEdited& edit = event.message_edited();
  AppendHead("messageEdited", event, out);
  AppendText(R"(,"messageId":)", edit.message_id(), out);
  AppendNumber(R"(,"messageSeq":)", edit.message_seq(), out);
  AppendText(R"(,"content":)", edit.content(), out);
  AppendBody(edit, out);
  if (!event.actor().id().empty()) AppendText(R"(,"by":)", event.actor().id(), out);
}

void AppendDeletion(const v1::Event& event, std::string& out) {
  AppendHead("messageDeleted", event, out);
  AppendText(R"(,"messageId":)", event.message_deleted().message_id(), out);
  AppendNumber(R"(,"messageSeq":)", event.message_deleted().message_seq(), out);
  if (!event.actor().id().empty()) AppendText(R"(,"by":)", event.actor().id(), out);
}

void AppendMemberEvent(std::string_view name, const v1::Event& event, std::string_view user_id,
                       v1::Role role, std::string& out) {
  AppendHead(name, event, out);
  AppendText(R"(,"userId":)", user_id, out);
  if (role != v1::ROLE_UNSPECIFIED) AppendText(R"(,"role":)", WordOf(role), out);
  if (!event.actor().id().empty()) AppendText(R"(,"by":)", event.actor().id(), out);
}

// `key`: what begins, with its value true; or ends.
void AppendRestrictionEvent(std::string_view name, const v1::Event& event, std::string_view user_id,
                            std::string_view key, const google::protobuf::Timestamp* until,
                            std::string& out) {
  AppendMemberEvent(name, event, user_id, v1::ROLE_UNSPECIFIED, out);
  out.append(key);
  if (until != nullptr) AppendTime(R"(,"until":)", *until, out);
}

template <typename Body>
const google::protobuf::Timestamp* UntilOf(const Body& body) {
  return body.has_until() ? &body.until() : nullptr;
}

void AppendRoomUpdated(const v1::Event& event, std::string& out) {
  AppendHead("roomUpdated", event, out);
  AppendArray(R"(,"changed":)", event.room_updated().changed(), out,
              [](const std::string& name, std::string& list) {
                AppendJsonString(name, list);
                return true;
              });
  AppendSettings(event.room_updated(), out);
  if (!event.actor().id().empty()) AppendText(R"(,"by":)", event.actor().id(), out);
}

void AppendNotification(const v1::Event& event, std::string& out) {
  const v1::Notification& notification = event.notification_posted().notification();
  AppendHead("notification", event, out);
  AppendText(R"(,"id":)", notification.notification_id(), out);
  AppendText(R"(,"name":)", notification.event(), out);
  out.append(R"(,"payload":)");
  out.append(notification.json());
}

// False: a kind of event that this edge does not know.
bool AppendEvent(const v1::Event& event, std::string& out) {
  switch (event.body_case()) {
    case v1::Event::kMessagePosted:
      AppendMessage(event, out);
      break;
    case v1::Event::kMemberAdded:
      AppendMemberEvent("memberJoined", event, event.member_added().user_id(),
                        event.member_added().role(), out);
      break;
    case v1::Event::kMemberRemoved:
      AppendMemberEvent("memberLeft", event, event.member_removed().user_id(), v1::ROLE_UNSPECIFIED,
                        out);
      break;
    case v1::Event::kMemberRoleChanged:
      AppendMemberEvent("memberUpdated", event, event.member_role_changed().user_id(),
                        event.member_role_changed().role(), out);
      break;
    case v1::Event::kRoomUpdated:
      AppendRoomUpdated(event, out);
      break;
    case v1::Event::kMemberBanned:
      AppendRestrictionEvent("memberLeft", event, event.member_banned().user_id(),
                             R"(,"banned":true)", UntilOf(event.member_banned()), out);
      break;
    case v1::Event::kMemberUnbanned:
      AppendRestrictionEvent("memberUpdated", event, event.member_unbanned().user_id(),
                             R"(,"banned":false)", nullptr, out);
      break;
    case v1::Event::kMemberMuted:
      AppendRestrictionEvent("memberUpdated", event, event.member_muted().user_id(),
                             R"(,"muted":true)", UntilOf(event.member_muted()), out);
      break;
    case v1::Event::kMemberUnmuted:
      AppendRestrictionEvent("memberUpdated", event, event.member_unmuted().user_id(),
                             R"(,"muted":false)", nullptr, out);
      break;
    case v1::Event::kMessageEdited:
      AppendEdit(event, out);
      break;
    case v1::Event::kMessageDeleted:
      AppendDeletion(event, out);
      break;
    case v1::Event::kNotificationPosted:
      AppendNotification(event, out);
      break;
    case v1::Event::BODY_NOT_SET:
      return false;
  }
  AppendTime(R"(,"createdAt":)", event.created_at(), out);
  out.push_back('}');
  return true;
}

// Of a message that was posted, edited or deleted.
template <typename Done>
std::string BodyOfDone(const Done& posted) {
  std::string out;
  AppendText(R"({"messageId":)", posted.message_id(), out);
  AppendNumber(R"(,"seq":)", posted.seq(), out);
  AppendTime(R"(,"createdAt":)", posted.created_at(), out);
  out.push_back('}');
  return out;
}

std::string BodyOf(const v1::HistoryPage& page) {
  std::string out;
  AppendText(R"({"roomId":)", page.room_id(), out);
  AppendArray(R"(,"events":)", page.events(), out, AppendEvent);
  out.append(page.more() ? R"(,"more":true)" : R"(,"more":false)");
  AppendNumber(R"(,"lastSeq":)", page.last_seq(), out);
  out.push_back('}');
  return out;
}

std::string BodyOf(const v1::RoomPage& page) {
  std::string out;
  AppendArray(R"({"rooms":)", page.rooms(), out, AppendRoom);
  AppendPageToken(page.next_page_token(), out);
  return out;
}

std::string BodyOf(const v1::MemberPage& page) {
  std::string out;
  AppendText(R"({"roomId":)", page.room_id(), out);
  AppendArray(R"(,"members":)", page.members(), out, AppendMember);
  AppendPageToken(page.next_page_token(), out);
  return out;
}

std::string BodyOf(const v1::Member& member) {
  std::string out;
  AppendMember(member, out);
  return out;
}

std::string BodyOf(const v1::BecomeMemberResult& joined) {
  std::string out;
  AppendText(R"({"roomId":)", joined.room_id(), out);
  AppendText(R"(,"role":)", WordOf(joined.role()), out);
  AppendNumber(R"(,"lastSeq":)", joined.last_seq(), out);
  out.push_back('}');
  return out;
}

std::string BodyOf(const v1::QuitRoomResult& left) {
  std::string out;
  AppendText(R"({"roomId":)", left.room_id(), out);
  out.push_back('}');
  return out;
}

std::string BodyOf(const v1::MarkReadResult& marked) {
  std::string out;
  AppendText(R"({"roomId":)", marked.room_id(), out);
  AppendNumber(R"(,"seq":)", marked.seq(), out);
  AppendNumber(R"(,"unreadCount":)", marked.unread_count(), out);
  out.push_back('}');
  return out;
}

std::string BodyOf(const v1::NotificationOutcome& outcome) {
  std::string out;
  AppendText(R"({"notificationId":)", outcome.notification_id(), out);
  AppendNumber(R"(,"connections":)", outcome.connections(), out);
  const auto flag = [&out](std::string_view name, bool value) {
    out.append(name);
    out.append(value ? "true" : "false");
  };
  flag(R"(,"connectionsExact":)", outcome.connections_exact());
  flag(R"(,"stored":)", outcome.stored());
  if (outcome.stored()) AppendNumber(R"(,"seq":)", outcome.seq(), out);
  flag(R"(,"duplicate":)", outcome.duplicate());
  if (outcome.oldest_dropped()) flag(R"(,"oldestDropped":)", true);
  out.push_back('}');
  return out;
}

HttpAnswer AnswerOfRoom(const v1::Room& room, int status) {
  HttpAnswer answer{.status = status};
  AppendRoom(room, answer.body);
  if (status == 201)
    answer.headers.emplace_back("Location", "/v1/rooms/" + EncodePathSegment(room.id()));
  return answer;
}

}  // namespace

HttpAnswer AnswerOfResult(const v1::Result& result, int status) {
  switch (result.result_case()) {
    case v1::Result::kError:
      return AnswerOfError(result.error());
    case v1::Result::kPostMessage:
      return {.status = status, .body = BodyOfDone(result.post_message())};
    case v1::Result::kEditMessage:
      return {.status = status, .body = BodyOfDone(result.edit_message())};
    case v1::Result::kDeleteMessage:
      return {.status = status, .body = BodyOfDone(result.delete_message())};
    case v1::Result::kMarkRead:
      return {.status = status, .body = BodyOf(result.mark_read())};
    case v1::Result::kHistory:
      return {.status = status, .body = BodyOf(result.history())};
    case v1::Result::kRoom:
      return AnswerOfRoom(result.room(), status);
    case v1::Result::kRooms:
      return {.status = status, .body = BodyOf(result.rooms())};
    case v1::Result::kMembers:
      return {.status = status, .body = BodyOf(result.members())};
    case v1::Result::kBecomeMember:
      return {.status = status, .body = BodyOf(result.become_member())};
    case v1::Result::kNotify:
      return {.status = status, .body = BodyOf(result.notify())};
    case v1::Result::kQuitRoom:
      return {.status = status, .body = BodyOf(result.quit_room())};
    case v1::Result::kChangeMember:
      return {.status = status, .body = BodyOf(result.change_member())};
    default:  // Nothing that a route asks for.
      break;
  }
  return AnswerOfError(MakeError(v1::REASON_INTERNAL, "result without content"));
}

HttpAnswer AnswerOfError(const v1::Error& error, int status) {
  HttpAnswer answer;
  answer.status = status != 0 ? status : TraitsOf(error.reason()).http_status;
  answer.body = R"({"error":)";
  AppendErrorObject(error, answer.body);
  answer.body.push_back('}');
  if (answer.status == 401) answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.retryable() || error.retry_after_ms() > 0) {
    const uint32_t seconds = std::max<uint32_t>(1, (error.retry_after_ms() + 999) / 1000);
    answer.headers.emplace_back("Retry-After", std::to_string(seconds));
  }
  return answer;
}

}  // namespace confab::edge
