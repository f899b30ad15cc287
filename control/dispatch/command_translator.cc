#include "control/dispatch/command_translator.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "control/dispatch/call_rules.h"
#include "control/room/audit_trail.h"
#include "control/room/event_message.h"
#include "control/room/uuid7.h"
#include "control/status_reason.h"

namespace confab::control {

using storage::DedupKey;
using storage::NewEvent;
using storage::RoomId;

namespace {

constexpr int32_t kPageDefault = 50;
constexpr int32_t kPageLimit = 500;  // DESIGN 7.

// Nothing more of the command is asked for than this: the room's id, checked.
std::optional<Refusal> SetRoom(std::string* id, RoomCommand& command) {
  command.append.room = RoomId(std::move(*id));
  return CheckId(command.room().value, "roomId");
}

std::vector<storage::UserId> UsersOf(google::protobuf::RepeatedPtrField<std::string>& ids) {
  std::vector<storage::UserId> users;
  users.reserve(static_cast<size_t>(ids.size()));
  for (std::string& id : ids) users.emplace_back(std::move(id));
  return users;
}

std::optional<Refusal> FillPost(v1::PostMessage& post, RoomCommand& command) {
  if (auto refusal = SetRoom(post.mutable_room_id(), command)) return refusal;
  if (auto refusal = CheckOptionalKey(post.client_msg_id(), "clientMsgId")) return refusal;
  if (auto refusal = CheckMessage(post.content(), post.type(), post.reply_to(), post.body_json())) {
    return refusal;
  }
  NewEvent& event = command.append.events.emplace_back();
  event.mentions = UsersOf(*post.mutable_mentions());
  if (auto refusal = CheckMentions(event.mentions)) return refusal;
  event.actor = *command.actor;
  command.is_repeat_safe = !post.client_msg_id().empty();
  if (command.is_repeat_safe) {
    event.dedup = {DedupKey::Space::kClient, std::move(*post.mutable_client_msg_id())};
  } else {
    event.dedup = command.key;
  }
  event.message_id = NewUuid7();
  event.type = TypeOr(post.type(), post.body_json());
  event.content = std::move(*post.mutable_content());
  event.reply_to = std::move(*post.mutable_reply_to());
  event.body = std::move(*post.mutable_body_json());
  command.request = PostRequest{};
  return std::nullopt;
}

// An edit or deletion; the actor is the command's, the key is made by the edge: doing it again
// does no harm.
std::optional<Refusal> FillChange(std::string* message_id, storage::EventKind kind,
                                  RoomCommand& command) {
  if (auto refusal = CheckId(*message_id, "messageId")) return refusal;
  NewEvent& event = command.append.events.emplace_back();
  event.kind = kind;
  event.actor = *command.actor;
  event.dedup = command.key;
  event.message_id = std::move(*message_id);
  command.request = ChangeMessageRequest{NoteOf(ActWordOf(kind), {{}, "", command.key.key})};
  return std::nullopt;
}

std::optional<Refusal> FillEdit(v1::EditMessage& edit, RoomCommand& command) {
  if (auto refusal = SetRoom(edit.mutable_room_id(), command)) return refusal;
  if (auto refusal = CheckMessage(edit.content(), "", "", edit.body_json())) return refusal;
  if (auto refusal =
          FillChange(edit.mutable_message_id(), storage::EventKind::kMessageEdited, command)) {
    return refusal;
  }
  NewEvent& event = command.append.events[0];
  event.content = std::move(*edit.mutable_content());
  event.body = std::move(*edit.mutable_body_json());
  event.mentions = UsersOf(*edit.mutable_mentions());
  return CheckMentions(event.mentions);
}

std::optional<Refusal> FillDelete(v1::DeleteMessage& deletion, RoomCommand& command) {
  if (auto refusal = SetRoom(deletion.mutable_room_id(), command)) return refusal;
  return FillChange(deletion.mutable_message_id(), storage::EventKind::kMessageDeleted, command);
}

std::optional<Refusal> FillMarkRead(v1::MarkRead& mark, RoomCommand& command) {
  if (mark.seq() < 0) return Refusal{v1::REASON_BAD_REQUEST, "seq is negative"};
  command.request = MarkReadRequest{mark.seq()};
  return SetRoom(mark.mutable_room_id(), command);
}

std::optional<Refusal> FillJoin(v1::JoinRoom& join, bool is_automatic, RoomCommand& command) {
  JoinRequest request;
  request.must_be_member = is_automatic;
  if (join.has_after_seq()) {
    if (join.after_seq() < 0) return Refusal{v1::REASON_BAD_REQUEST, "afterSeq is negative"};
    request.after_seq = join.after_seq();
  }
  command.request = request;
  return SetRoom(join.mutable_room_id(), command);
}

std::optional<Refusal> FillLeave(v1::LeaveRoom& leave, RoomCommand& command) {
  command.request = LeaveRequest{};
  return SetRoom(leave.mutable_room_id(), command);
}

std::optional<Refusal> FillRead(v1::GetHistory& history, RoomCommand& command) {
  if (auto refusal = SetRoom(history.mutable_room_id(), command)) return refusal;
  if (history.has_after_seq() + history.has_before_seq() + history.has_since() +
          history.has_until() >
      1) {
    return Refusal{v1::REASON_BAD_REQUEST,
                   "beforeSeq, afterSeq, since and until exclude each other"};
  }
  if ((history.has_after_seq() && history.after_seq() < 0) ||
      (history.has_before_seq() && history.before_seq() < 0)) {
    return Refusal{v1::REASON_BAD_REQUEST, "beforeSeq or afterSeq is negative"};
  }
  ReadRequest request;
  request.query.room = command.room();
  if (history.has_after_seq()) request.query.after_seq = history.after_seq();
  if (history.has_before_seq()) request.query.before_seq = history.before_seq();
  if (history.has_since()) request.query.since = TimeOf(history.since());
  if (history.has_until()) request.query.until = TimeOf(history.until());
  request.query.limit = PageLimit(history.limit());
  command.request = std::move(request);
  return std::nullopt;
}

std::optional<Refusal> FillTyping(v1::SetTyping& typing, RoomCommand& command) {
  command.request = TypingRequest{typing.is_typing()};
  return SetRoom(typing.mutable_room_id(), command);
}

std::optional<Refusal> FillReplay(v1::ReplayPage& replay, RoomCommand& command) {
  if (auto refusal = SetRoom(replay.mutable_room_id(), command)) return refusal;
  if (replay.after_seq() < 0) return Refusal{v1::REASON_BAD_REQUEST, "after_seq is negative"};
  ReadRequest request;
  request.is_replay = true;
  request.query.room = command.room();
  request.query.after_seq = replay.after_seq();
  request.query.limit = kPageLimit;
  command.request = std::move(request);
  return std::nullopt;
}

std::optional<Refusal> FillEnroll(v1::BecomeMember& enroll, RoomCommand& command) {
  command.request = EnrollRequest{};
  return SetRoom(enroll.mutable_room_id(), command);
}

std::optional<Refusal> FillQuit(v1::QuitRoom& quit, RoomCommand& command) {
  command.request = QuitRequest{};
  return SetRoom(quit.mutable_room_id(), command);
}

std::optional<Refusal> RefusalOf(const absl::Status& status) {
  if (status.ok()) return std::nullopt;
  const v1::Error error = ErrorOf(status);
  return Refusal{error.reason(), error.message()};
}

std::optional<Refusal> FillCreate(v1::CreateRoom& create, RoomCommand& command) {
  storage::NewRoom room;
  room.id = RoomId(create.room_id().empty() ? NewUuid7() : std::move(*create.mutable_room_id()));
  room.topic = std::move(*create.mutable_topic());
  const absl::StatusOr<bool> is_public = IsPublic(create.visibility());
  if (!is_public.ok()) return RefusalOf(is_public.status());
  room.is_public = *is_public;
  room.creator = *command.actor;
  room.members.emplace_back(room.creator.id, storage::Role::kOwner);
  for (const v1::FirstMember& member : create.members()) {
    if (member.user_id() == room.creator.id.value) continue;
    const absl::StatusOr<storage::Role> role = RoleOf(member.role(), storage::Role::kMember);
    if (!role.ok()) return RefusalOf(role.status());
    room.members.emplace_back(storage::UserId(member.user_id()), *role);
  }
  if (auto refusal = RefusalOf(CheckNewRoom(room))) return refusal;
  command.kind = CommitJob::Kind::kCreateRoom;
  command.request = CreateRequest{};
  command.is_repeat_safe = false;
  command.append.room = room.id;
  room.audit = NoteOf("room.create", {{}, "", command.key.key});
  command.append.audit = room.audit;
  command.new_room = std::make_unique<storage::NewRoom>(std::move(room));
  return std::nullopt;
}

Asker AskerOf(const RoomCommand& command) { return {{}, "", command.key.key}; }

std::optional<Refusal> FillUpdate(v1::UpdateRoom& update, RoomCommand& command) {
  if (auto refusal = SetRoom(update.mutable_room_id(), command)) return refusal;
  if (auto refusal = RefusalOf(CheckChanges(update.changes()))) return refusal;
  command.request = UpdateRequest{std::move(*update.mutable_changes())};
  command.append.audit = NoteOf("room.update", AskerOf(command));
  return std::nullopt;
}

absl::StatusOr<PersonChange> PersonOf(const v1::ChangeMember& asked) {
  using Kind = PersonChange::Kind;
  PersonChange change;
  change.user = storage::UserId(asked.user_id());
  v1::Role role = v1::ROLE_UNSPECIFIED;
  switch (asked.change_case()) {
    case v1::ChangeMember::kAdd:
      change.kind = Kind::kAdd;
      role = asked.add();
      if (role == v1::ROLE_UNSPECIFIED) return change;  // As he is, or a member.
      break;
    case v1::ChangeMember::kRole:
      change.kind = Kind::kRole;
      role = asked.role();
      break;
    case v1::ChangeMember::kRemove:
      change.kind = Kind::kRemove;
      return change;
    case v1::ChangeMember::kBan:
      change.kind = Kind::kBan;
      change.seconds = asked.ban().seconds();
      return change;
    case v1::ChangeMember::kUnban:
      change.kind = Kind::kUnban;
      return change;
    case v1::ChangeMember::kMute:
      change.kind = Kind::kMute;
      change.seconds = asked.mute().seconds();
      return change;
    case v1::ChangeMember::kUnmute:
      change.kind = Kind::kUnmute;
      return change;
    case v1::ChangeMember::CHANGE_NOT_SET:
      return RefusalStatus(v1::REASON_BAD_REQUEST, "change: is missing");
  }
  const absl::StatusOr<storage::Role> given = RoleOf(role, storage::Role::kNone);
  if (!given.ok()) return given.status();
  change.role = *given;
  return change;
}

std::optional<Refusal> FillPerson(v1::ChangeMember& asked, RoomCommand& command) {
  if (auto refusal = SetRoom(asked.mutable_room_id(), command)) return refusal;
  absl::StatusOr<PersonChange> change = PersonOf(asked);
  if (!change.ok()) return RefusalOf(change.status());
  if (auto refusal = RefusalOf(CheckPerson(*change))) return refusal;
  command.append.audit = NoteOf(ActWordOf(change->kind), AskerOf(command));
  command.request = PersonRequest{*std::move(change)};
  return std::nullopt;
}

ServicePost PostOf(v1::Publish& publish, std::string service) {
  ServicePost post;
  post.room = RoomId(std::move(*publish.mutable_room_id()));
  if (publish.has_sender()) {
    post.sender.emplace();
    post.sender->id = storage::UserId(publish.sender().id());
    post.sender->name = publish.sender().name();
  }
  post.service = std::move(service);
  post.idempotency_key = std::move(*publish.mutable_idempotency_key());
  post.type = std::move(*publish.mutable_type());
  post.content = std::move(*publish.mutable_content());
  post.reply_to = std::move(*publish.mutable_reply_to());
  post.body = std::move(*publish.mutable_body_json());
  post.mentions = UsersOf(*publish.mutable_mentions());
  return post;
}

std::optional<Refusal> Fill(v1::Command& input, RoomCommand& command) {
  switch (input.command_case()) {
    case v1::Command::kJoinRoom:
      return FillJoin(*input.mutable_join_room(), input.is_automatic(), command);
    case v1::Command::kLeaveRoom:
      return FillLeave(*input.mutable_leave_room(), command);
    case v1::Command::kPostMessage:
      return FillPost(*input.mutable_post_message(), command);
    case v1::Command::kGetHistory:
      return FillRead(*input.mutable_get_history(), command);
    case v1::Command::kReplayPage:
      return FillReplay(*input.mutable_replay_page(), command);
    case v1::Command::kEditMessage:
      return FillEdit(*input.mutable_edit_message(), command);
    case v1::Command::kDeleteMessage:
      return FillDelete(*input.mutable_delete_message(), command);
    case v1::Command::kMarkRead:
      return FillMarkRead(*input.mutable_mark_read(), command);
    case v1::Command::kSetTyping:
      return FillTyping(*input.mutable_set_typing(), command);
    case v1::Command::kCreateRoom:
      return FillCreate(*input.mutable_create_room(), command);
    case v1::Command::kBecomeMember:
      return FillEnroll(*input.mutable_become_member(), command);
    case v1::Command::kQuitRoom:
      return FillQuit(*input.mutable_quit_room(), command);
    case v1::Command::kUpdateRoom:
      return FillUpdate(*input.mutable_update_room(), command);
    case v1::Command::kChangeMember:
      return FillPerson(*input.mutable_change_member(), command);
    case v1::Command::kGetRoom:  // These go past the lanes (edge_reads), this one has no user:
    case v1::Command::kListRooms:
    case v1::Command::kListMembers:
    case v1::Command::kGetPresence:
    case v1::Command::kPublish:
    case v1::Command::kHeartbeat:  // Of users alone (user_route).
    case v1::Command::kSetStatus:
    case v1::Command::kRefreshToken:  // The edge answers these.
    case v1::Command::kResume:
    case v1::Command::kReadInbox:
    case v1::Command::kAckInbox:
    case v1::Command::kNotify:
    case v1::Command::COMMAND_NOT_SET:
      break;
  }
  return Refusal{v1::REASON_UNKNOWN_COMMAND, "control does not know this command"};
}

// By which a command is recognised that the edge sends again after re-attaching.
DedupKey KeyOf(const Attachment& edge, uint64_t request) {
  return {DedupKey::Space::kEdge, fmt::format("{}{}", edge.key_prefix(), request)};
}

// What nearly every command is: a message with its client's own key. Measured by
// room/translate_post.
bool HasKeyOfItsOwn(const v1::Command& command) {
  return command.has_post_message() && !command.post_message().client_msg_id().empty();
}

absl::StatusOr<std::unique_ptr<RoomCommand>> TranslatePublish(v1::Publish& publish,
                                                              std::string service,
                                                              const Attachment& edge,
                                                              uint64_t request) {
  auto command = Translate(PostOf(publish, std::move(service)));
  if (command.ok() && !(*command)->is_repeat_safe) {
    (*command)->append.events[0].dedup = KeyOf(edge, request);
  }
  return command;
}

absl::StatusOr<std::unique_ptr<RoomCommand>> TranslateUsers(
    std::shared_ptr<const storage::Actor> user, v1::Command& input, const Attachment& edge) {
  auto command = std::make_unique<RoomCommand>();
  if (!HasKeyOfItsOwn(input)) command->key = KeyOf(edge, input.request());
  command->actor = std::move(user);
  // An empty id would be the system.
  if (auto refusal = CheckId(command->actor->id.value, "the user's id")) {
    return ToStatus(*std::move(refusal));
  }
  if (auto refusal = Fill(input, *command)) return ToStatus(*std::move(refusal));
  return command;
}

}  // namespace

absl::Status ToStatus(Refusal refusal) {
  return RefusalStatus(refusal.reason, std::move(refusal.message));
}

int32_t PageLimit(int64_t asked) {
  if (asked <= 0) return kPageDefault;
  return static_cast<int32_t>(std::min<int64_t>(asked, kPageLimit));
}

absl::StatusOr<std::unique_ptr<RoomCommand>> Translate(EdgeCommand input,
                                                       const std::shared_ptr<Attachment>& edge,
                                                       Deadline now, absl::Duration limit) {
  auto translated = input.command.has_publish()
                        ? TranslatePublish(*input.command.mutable_publish(),
                                           std::move(input.service), *edge, input.command.request())
                        : TranslateUsers(std::move(input.actor), input.command, *edge);
  if (!translated.ok()) return translated;
  if (input.command.deadline_ms() > 0) {
    limit = std::min(limit, absl::Milliseconds(input.command.deadline_ms()));
  }
  RoomCommand& command = **translated;
  command.deadline = now + absl::ToChronoNanoseconds(limit);
  command.edge = edge;
  command.reply = EdgeReply{input.command.connection(), input.command.request()};
  return translated;
}

absl::StatusOr<std::unique_ptr<RoomCommand>> Translate(ServicePost post) {
  if (auto refusal = CheckId(post.room.value, "room_id")) return ToStatus(*std::move(refusal));
  if (auto refusal = CheckOptionalKey(post.idempotency_key, "idempotency_key")) {
    return ToStatus(*std::move(refusal));
  }
  if (auto refusal = CheckId(post.service, "the service's name")) {
    return ToStatus(*std::move(refusal));
  }
  const bool is_system = !post.sender.has_value();
  if (is_system) post.type.clear();
  if (!is_system) {
    if (auto refusal = CheckId(post.sender->id.value, "sender.id")) {
      return ToStatus(*std::move(refusal));
    }
    if (auto refusal = CheckOptionalKey(post.sender->name, "sender.name")) {
      return ToStatus(*std::move(refusal));
    }
  }
  if (auto refusal = CheckMessage(post.content, post.type, post.reply_to, post.body)) {
    return ToStatus(*std::move(refusal));
  }
  if (auto refusal = CheckMentions(post.mentions)) return ToStatus(*std::move(refusal));
  auto command = std::make_unique<RoomCommand>();
  command->append.room = std::move(post.room);
  command->request = PostRequest{};
  command->is_repeat_safe = !post.idempotency_key.empty();
  NewEvent& event = command->append.events.emplace_back();
  event.message_id = NewUuid7();
  event.dedup = {DedupKey::Space::kService,
                 fmt::format("{}/{}", post.service,
                             command->is_repeat_safe ? post.idempotency_key : event.message_id)};
  event.type = is_system ? "system" : TypeOr(post.type, post.body);
  event.content = std::move(post.content);
  event.reply_to = std::move(post.reply_to);
  event.body = std::move(post.body);
  event.mentions = std::move(post.mentions);
  if (!is_system) {
    event.actor = *post.sender;
    command->actor = std::make_shared<const storage::Actor>(*std::move(post.sender));
  }
  return command;
}

absl::StatusOr<std::unique_ptr<RoomCommand>> Translate(ServiceChange change) {
  if (auto refusal = CheckId(change.room.value, "room_id")) return ToStatus(*std::move(refusal));
  if (auto refusal = CheckId(change.message_id, "message_id")) {
    return ToStatus(*std::move(refusal));
  }
  if (change.actor) {
    if (auto refusal = CheckId(change.actor->id.value, "the user's id")) {
      return ToStatus(*std::move(refusal));
    }
    if (auto refusal = CheckOptionalKey(change.actor->name, "the user's name")) {
      return ToStatus(*std::move(refusal));
    }
  }
  if (!change.is_deletion) {
    if (auto refusal = CheckMessage(change.content, "", "", change.body)) {
      return ToStatus(*std::move(refusal));
    }
    if (auto refusal = CheckMentions(change.mentions)) return ToStatus(*std::move(refusal));
  }
  auto command = std::make_unique<RoomCommand>();
  command->append.room = std::move(change.room);
  NewEvent& event = command->append.events.emplace_back();
  event.kind =
      change.is_deletion ? storage::EventKind::kMessageDeleted : storage::EventKind::kMessageEdited;
  command->request = ChangeMessageRequest{NoteOf(ActWordOf(event.kind), change.asker)};
  event.dedup = {DedupKey::Space::kService, "change/" + NewUuid7()};
  event.message_id = std::move(change.message_id);
  event.content = std::move(change.content);
  event.body = std::move(change.body);
  event.mentions = std::move(change.mentions);
  if (change.actor) {
    event.actor = *change.actor;
    command->actor = std::make_shared<const storage::Actor>(*std::move(change.actor));
  }
  return command;
}

}  // namespace confab::control
