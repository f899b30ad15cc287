#include "edge/dialect/confab_dialect.h"

#include <algorithm>
#include <array>

#include "edge/dialect/event_arguments.h"
#include "edge/protocol/json_text.h"
#include "edge/protocol/socketio_codec.h"
#include "proto/reason.h"

namespace confab::edge {
namespace {

namespace json = boost::json;

void ReadJoinRoom(EventArguments& in, v1::Command& command) {
  v1::JoinRoom& join = *command.mutable_join_room();
  in.RequiredId("roomId", *join.mutable_room_id());
  if (const auto seq = in.OptionalNumber("afterSeq")) join.set_after_seq(*seq);
}

void ReadLeaveRoom(EventArguments& in, v1::Command& command) {
  in.RequiredId("roomId", *command.mutable_leave_room()->mutable_room_id());
}

void ReadSendMessage(EventArguments& in, v1::Command& command) {
  v1::PostMessage& post = *command.mutable_post_message();
  in.RequiredId("roomId", *post.mutable_room_id());
  in.RequiredString("content", *post.mutable_content());
  in.OptionalString("clientMsgId", *post.mutable_client_msg_id());
  in.OptionalString("type", *post.mutable_type());
  in.OptionalString("replyTo", *post.mutable_reply_to());
}

void ReadGetHistory(EventArguments& in, v1::Command& command) {
  v1::GetHistory& history = *command.mutable_get_history();
  in.RequiredId("roomId", *history.mutable_room_id());
  if (const auto seq = in.OptionalNumber("beforeSeq")) history.set_before_seq(*seq);
  if (const auto seq = in.OptionalNumber("afterSeq")) history.set_after_seq(*seq);
  if (const auto limit = in.OptionalNumber("limit")) {
    history.set_limit(static_cast<uint32_t>(std::min<int64_t>(*limit, UINT32_MAX)));
  }
}

struct Inbound {
  std::string_view event;
  void (*read)(EventArguments&, v1::Command&);
};
constexpr std::array<Inbound, 4> kInbound = {{
    {"sendMessage", ReadSendMessage},
    {"joinRoom", ReadJoinRoom},
    {"leaveRoom", ReadLeaveRoom},
    {"getHistory", ReadGetHistory},
}};

std::string_view RoleWord(v1::Role role) {
  if (role == v1::ROLE_OWNER) return "owner";
  if (role == v1::ROLE_MODERATOR) return "moderator";
  if (role == v1::ROLE_MEMBER) return "member";
  if (role == v1::ROLE_READER) return "reader";
  return "";
}

// Empty: the event has no name here.
std::string_view EventName(const v1::Event& event) {
  switch (event.body_case()) {
    case v1::Event::kMessagePosted:
      return "newMessage";
    case v1::Event::kMemberAdded:
      return "memberJoined";
    case v1::Event::kMemberRemoved:
      return "memberLeft";
    case v1::Event::kMemberRoleChanged:
      return "memberUpdated";
    case v1::Event::BODY_NOT_SET:
      break;
  }
  return "";
}

// `key` is `,"name":` as it stands in the output.
void AppendText(std::string_view key, std::string_view value, std::string& out) {
  out.append(key);
  AppendJsonString(value, out);
}

void AppendCreatedAt(const google::protobuf::Timestamp& time, std::string& out) {
  out.append(R"(,"createdAt":)");
  AppendJsonTime(time.seconds(), time.nanos(), out);
}

void AppendMember(const v1::Event& event, std::string_view user_id, v1::Role role,
                  std::string& out) {
  AppendText(R"(,"userId":)", user_id, out);
  if (role != v1::ROLE_UNSPECIFIED) AppendText(R"(,"role":)", RoleWord(role), out);
  AppendCreatedAt(event.created_at(), out);
}

void AppendActor(const v1::Event& event, std::string& out) {
  if (!event.actor().id().empty()) AppendText(R"(,"by":)", event.actor().id(), out);
}

void AppendUser(const v1::User& user, std::string& out) {
  AppendText(R"({"id":)", user.id(), out);
  AppendText(R"(,"name":)", user.name(), out);
  out.push_back('}');
}

void AppendMessage(const v1::Event& event, std::string& out) {
  const v1::MessagePosted& message = event.message_posted();
  AppendText(R"(,"messageId":)", message.message_id(), out);
  AppendText(R"(,"senderId":)", event.actor().id(), out);
  out.append(R"(,"sender":)");
  AppendUser(event.actor(), out);
  out.append(R"(,"clientMsgId":)");
  if (message.client_msg_id().empty()) {
    out.append("null");
  } else {
    AppendJsonString(message.client_msg_id(), out);
  }
  AppendText(R"(,"type":)", message.type(), out);
  AppendText(R"(,"content":)", message.content(), out);
  if (!message.reply_to().empty()) AppendText(R"(,"replyTo":)", message.reply_to(), out);
  AppendCreatedAt(event.created_at(), out);
}

// `"roomId":…,"seq":…` and what belongs to the event, without braces.
void AppendEventFields(const v1::Event& event, std::string& out) {
  AppendText(R"("roomId":)", event.room_id(), out);
  out.append(R"(,"seq":)");
  AppendJsonNumber(event.seq(), out);
  switch (event.body_case()) {
    case v1::Event::kMessagePosted:
      AppendMessage(event, out);
      break;
    case v1::Event::kMemberAdded:
      AppendMember(event, event.member_added().user_id(), event.member_added().role(), out);
      AppendActor(event, out);
      break;
    case v1::Event::kMemberRemoved:
      AppendMember(event, event.member_removed().user_id(), v1::ROLE_UNSPECIFIED, out);
      break;
    case v1::Event::kMemberRoleChanged:
      AppendMember(event, event.member_role_changed().user_id(), event.member_role_changed().role(),
                   out);
      AppendActor(event, out);
      break;
    case v1::Event::BODY_NOT_SET:
      break;
  }
}

void AppendHistory(const v1::HistoryPage& page, std::string& out) {
  out.append(R"(,"events":[)");
  bool is_first = true;
  for (const v1::Event& event : page.events()) {
    const std::string_view name = EventName(event);
    if (name.empty()) continue;
    if (!is_first) out.push_back(',');
    is_first = false;
    AppendText(R"({"event":)", name, out);
    out.push_back(',');
    AppendEventFields(event, out);
    out.push_back('}');
  }
  out.append(page.more() ? R"(],"more":true)" : R"(],"more":false)");
}

}  // namespace

std::optional<v1::Error> ConfabDialect::Translate(std::string_view event,
                                                  std::span<const json::value> args,
                                                  v1::Command& command) const {
  for (const Inbound& inbound : kInbound) {
    if (inbound.event != event) continue;
    EventArguments in(event, args);
    inbound.read(in, command);
    return in.TakeRefusal();
  }
  return UnknownEvent(event);
}

bool ConfabDialect::EncodeEvent(const v1::Event& event, std::string_view /*actor_email*/,
                                std::string& out) const {
  const std::string_view name = EventName(event);
  if (name.empty()) return false;
  out.append(R"([")");
  out.append(name);
  out.append(R"(",{)");
  AppendEventFields(event, out);
  out.append("}]");
  return true;
}

bool ConfabDialect::EncodeAck(const v1::Command& command, const v1::Result& result,
                              std::string& out) const {
  switch (result.result_case()) {
    case v1::Result::kError:
      return EncodeRefusal(command, result.error(), out);
    case v1::Result::kJoinRoom:
      AppendText(R"([{"ok":true,"roomId":)", result.join_room().room_id(), out);
      AppendText(R"(,"role":)", RoleWord(result.join_room().role()), out);
      out.append(R"(,"lastSeq":)");
      AppendJsonNumber(result.join_room().last_seq(), out);
      break;
    case v1::Result::kLeaveRoom:
      AppendText(R"([{"ok":true,"roomId":)", result.leave_room().room_id(), out);
      break;
    case v1::Result::kPostMessage:
      AppendText(R"([{"ok":true,"messageId":)", result.post_message().message_id(), out);
      out.append(R"(,"seq":)");
      AppendJsonNumber(result.post_message().seq(), out);
      AppendCreatedAt(result.post_message().created_at(), out);
      break;
    case v1::Result::kHistory:
      out.append(R"([{"ok":true)");
      AppendHistory(result.history(), out);
      break;
    case v1::Result::kHeartbeat:
    case v1::Result::kSetTyping:
      return false;
    case v1::Result::kRoom:  // Only HTTP asks for these.
    case v1::Result::kRooms:
    case v1::Result::kMembers:
    case v1::Result::kBecomeMember:
    case v1::Result::kQuitRoom:
    case v1::Result::RESULT_NOT_SET:
      return EncodeRefusal(command, MakeError(v1::REASON_INTERNAL, "result without content"), out);
  }
  out.append("}]");
  return true;
}

bool ConfabDialect::EncodeRefusal(const v1::Command& /*command*/, const v1::Error& error,
                                  std::string& out) const {
  out.append(R"([{"ok":false,"error":)");
  AppendErrorObject(error, out);
  out.append("}]");
  return true;
}

bool ConfabDialect::EncodeError(const v1::Error& error, std::string& out) const {
  out.append(R"(["error",)");
  AppendErrorObject(error, out);
  out.push_back(']');
  return true;
}

bool ConfabDialect::EncodeConnected(std::string_view connection_id, const v1::User& user,
                                    std::string& out) const {
  AppendText(R"(["connected",{"connectionId":)", connection_id, out);
  out.append(R"(,"user":)");
  AppendUser(user, out);
  out.append("}]");
  return true;
}

bool ConfabDialect::EncodeClosing(uint32_t code, std::string_view reason, uint32_t retry_after_ms,
                                  std::string& out) const {
  out.append(R"(["server:closing",{"code":)");
  AppendJsonNumber(code, out);
  AppendText(R"(,"reason":)", reason, out);
  if (retry_after_ms > 0) {
    out.append(R"(,"retryAfterMs":)");
    AppendJsonNumber(retry_after_ms, out);
  }
  out.append("}]");
  return true;
}

}  // namespace confab::edge
