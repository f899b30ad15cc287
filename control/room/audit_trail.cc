#include "control/room/audit_trail.h"

#include <string>

#include "control/status_reason.h"
#include "proto/reason.h"

namespace confab::control {
namespace {

// Whom the command is about; of several, none.
storage::UserId SubjectOf(const RoomRequest& request) {
  if (const auto* person = std::get_if<PersonRequest>(&request)) return person->change.user;
  if (const auto* add = std::get_if<AddRequest>(&request); add && add->members.size() == 1) {
    return add->members[0].first;
  }
  if (const auto* remove = std::get_if<RemoveRequest>(&request);
      remove && remove->users.size() == 1) {
    return remove->users[0];
  }
  return storage::UserId();
}

}  // namespace

const char* ActWordOf(PersonChange::Kind kind) {
  switch (kind) {
    case PersonChange::Kind::kAdd:
      return "member.add";
    case PersonChange::Kind::kRole:
      return "member.role";
    case PersonChange::Kind::kRemove:
      return "member.remove";
    case PersonChange::Kind::kBan:
      return "member.ban";
    case PersonChange::Kind::kUnban:
      return "member.unban";
    case PersonChange::Kind::kMute:
      return "member.mute";
    case PersonChange::Kind::kUnmute:
      return "member.unmute";
  }
  return "member";
}

const char* ActWordOf(storage::EventKind kind) {
  return kind == storage::EventKind::kMessageEdited ? "message.edit" : "message.delete";
}

std::shared_ptr<const storage::AuditNote> NoteOf(const char* act, const Asker& asker) {
  return std::make_shared<const storage::AuditNote>(
      storage::AuditNote{act, asker.service, asker.request_id});
}

storage::AuditRecord AuditOf(const RoomCommand& command) {
  storage::AuditRecord record;
  if (command.actor != nullptr) record.actor = command.actor->id;
  record.note = *command.append.audit;
  record.room = command.room();
  record.subject = SubjectOf(command.request);
  return record;
}

storage::AuditRecord AuditOf(const RoomCommand& command, const absl::Status& why) {
  storage::AuditRecord record = AuditOf(command);
  record.result = std::string(TraitsOf(ReasonOf(why)).word);
  return record;
}

}  // namespace confab::control
