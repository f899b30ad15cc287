#include "storage/record_check.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include "process/eight_bytes.h"
#include "storage/restriction.h"

namespace confab::storage {
namespace {

absl::Status Refused(const std::string& message) { return absl::InvalidArgumentError(message); }

// Length of the well-formed sequence at the start of `text` (RFC 3629); 0 if there is none.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  size_t length = 0;
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;   // No overlong form.
    if (lead == 0xED) high = 0x9F;  // No surrogate.
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;  // Nothing above U+10FFFF.
  } else {
    return 0;
  }
  if (text.size() < length || byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

absl::Status CheckText(std::string_view text, std::string_view field) {
  if (IsStorableText(text)) return absl::OkStatus();
  return Refused(fmt::format("{} is not valid UTF-8 or contains U+0000", field));
}

absl::Status CheckOptionalId(std::string_view id, std::string_view field) {
  return id.empty() ? absl::OkStatus() : CheckId(id, field);
}

absl::Status CheckActor(const Actor& actor) {
  if (auto status = CheckOptionalId(actor.id.value, "actor id"); !status.ok()) return status;
  if (auto status = CheckText(actor.name, "actor name"); !status.ok()) return status;
  return CheckText(actor.email, "actor email");
}

absl::Status CheckSubject(const NewEvent& event) {
  switch (event.kind) {
    case EventKind::kMessagePosted:
    case EventKind::kNotificationPosted:
      return CheckOptionalId(event.subject.value, "subject");
    case EventKind::kMessageEdited:
    case EventKind::kMessageDeleted:
      if (event.message_id.empty()) return Refused("an edit or deletion names its message");
      return CheckOptionalId(event.subject.value, "subject");
    case EventKind::kMemberAdded:
    case EventKind::kMemberRoleChanged:
      if (event.role == Role::kNone) return Refused("a membership event needs a role");
      return CheckId(event.subject.value, "subject");
    case EventKind::kMemberBanned:
    case EventKind::kMemberMuted:
      if (!ReadRestriction(event.content)) return Refused("a ban or mute needs an end");
      return CheckId(event.subject.value, "subject");
    case EventKind::kMemberRemoved:
    case EventKind::kMemberUnbanned:
    case EventKind::kMemberUnmuted:
      return CheckId(event.subject.value, "subject");
    case EventKind::kRoomUpdated:
      if (!DecodeSettings(event.content)) return Refused("an update of a room needs its settings");
      return absl::OkStatus();
  }
  return Refused(fmt::format("unknown event kind {}", static_cast<int>(event.kind)));
}

absl::Status CheckEvent(const NewEvent& event) {
  if (event.dedup.key.empty() || event.dedup.key.size() > kDedupKeyBytesLimit) {
    return Refused(fmt::format("a dedup key has 1 to {} bytes", kDedupKeyBytesLimit));
  }
  if (auto status = CheckActor(event.actor); !status.ok()) return status;
  if (auto status = CheckSubject(event); !status.ok()) return status;
  const std::pair<std::string_view, std::string_view> texts[] = {
      {event.dedup.key, "dedup key"}, {event.message_id, "message id"}, {event.type, "type"},
      {event.content, "content"},     {event.reply_to, "reply_to"},     {event.body, "body"},
  };
  for (const auto& [text, field] : texts) {
    if (auto status = CheckText(text, field); !status.ok()) return status;
  }
  for (const UserId& user : event.mentions) {
    if (auto status = CheckId(user.value, "a mentioned user's id"); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckNote(const AuditNote* note) {
  if (note == nullptr) return absl::OkStatus();
  for (const std::string* text : {&note->act, &note->service, &note->request_id}) {
    if (auto status = CheckText(*text, "audit note"); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

// Eight bytes at a time where a text is ASCII: each text is checked twice on its way, here and where
// a command is translated. Measured by batch/check_text/ascii and batch/check_text/mixed.
bool IsStorableText(std::string_view text) {
  using process::EightBytes;
  while (!text.empty()) {
    if (text.size() >= EightBytes::kSize && EightBytes(text.data()).IsAsciiWithoutNul()) {
      text.remove_prefix(EightBytes::kSize);
      continue;
    }
    // Sequence by sequence until these eight are passed.
    const size_t left = text.size() - std::min(text.size(), EightBytes::kSize);
    while (text.size() > left) {
      const size_t length = text[0] == '\0' ? 0 : SequenceLength(text);
      if (length == 0) return false;
      text.remove_prefix(length);
    }
  }
  return true;
}

absl::Status CheckId(std::string_view id, std::string_view field) {
  if (id.empty() || id.size() > kIdBytesLimit) {
    return Refused(
        fmt::format("{} has {} bytes; 1 to {} are allowed", field, id.size(), kIdBytesLimit));
  }
  return CheckText(id, field);
}

absl::Status CheckBatch(AppendBatch batch) {
  size_t events = 0;
  for (const AppendRequest& request : batch) {
    events += request.events.size();
    if (request.events.empty()) return Refused("a request needs at least one event");
    if (auto status = CheckId(request.room.value, "room id"); !status.ok()) return status;
    if (auto status = CheckNote(request.audit.get()); !status.ok()) return status;
    for (const NewEvent& event : request.events) {
      if (auto status = CheckEvent(event); !status.ok()) return status;
    }
  }
  if (events > kBatchEventsLimit) {
    return Refused(fmt::format("a batch has at most {} events", kBatchEventsLimit));
  }
  return absl::OkStatus();
}

absl::Status CheckMoves(absl::Span<const PointerMove> moves) {
  for (const PointerMove& move : moves) {
    if (auto status = CheckId(move.room.value, "room id"); !status.ok()) return status;
    if (auto status = CheckId(move.user.value, "user id"); !status.ok()) return status;
    if (move.seq < 0) return Refused("a read pointer is 0 or greater");
  }
  return absl::OkStatus();
}

absl::Status CheckNewRoom(const NewRoom& room) {
  if (auto status = CheckId(room.id.value, "room id"); !status.ok()) return status;
  if (auto status = CheckText(room.topic, "topic"); !status.ok()) return status;
  for (const auto& [name, text] : room.metadata) {
    if (auto status = CheckText(name, "metadata"); !status.ok()) return status;
    if (auto status = CheckText(text, "metadata"); !status.ok()) return status;
  }
  if (auto status = CheckNote(room.audit.get()); !status.ok()) return status;
  if (auto status = CheckActor(room.creator); !status.ok()) return status;
  if (room.members.size() > kNewRoomMembersLimit) {
    return Refused(fmt::format("a room starts with at most {} members", kNewRoomMembersLimit));
  }
  absl::flat_hash_set<UserId> seen;
  for (const auto& [user, role] : room.members) {
    if (auto status = CheckId(user.value, "user id"); !status.ok()) return status;
    if (role == Role::kNone) return Refused("a member needs a role");
    if (!seen.insert(user).second) return Refused("a member is named twice: " + user.value);
  }
  return absl::OkStatus();
}

absl::Status CheckAudit(absl::Span<const AuditRecord> records) {
  if (records.size() > kAuditBatchLimit) {
    return Refused(fmt::format("at most {} audit records at once", kAuditBatchLimit));
  }
  for (const AuditRecord& record : records) {
    if (auto status = CheckNote(&record.note); !status.ok()) return status;
    for (const std::string* text :
         {&record.actor.value, &record.room.value, &record.subject.value, &record.result}) {
      if (auto status = CheckText(*text, "audit record"); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace confab::storage
