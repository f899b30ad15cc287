#include "tools/confabctl/output.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include <absl/time/time.h>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

namespace confab::ctl {
namespace {

constexpr std::string_view kGap = "  ";

// Bytes of the UTF-8 sequence at the start of `text`, 0 if it is invalid. Strict: no overlong
// forms, no surrogates, nothing above U+10FFFF.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) >= 0xA0) ||
      (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) >= 0x90)) {
    return 0;
  }
  return length;
}

// No control character (C0, DEL, C1), no line separator, nothing that turns a line's direction.
bool IsHarmless(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return lead >= 0x20 && lead != 0x7F;
  if (sequence.size() == 2) return sequence >= "\xc2\xa0";
  return !(sequence >= "\xe2\x80\xa8" && sequence <= "\xe2\x80\xae") &&
         !(sequence >= "\xe2\x81\xa6" && sequence <= "\xe2\x81\xa9");
}

size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

template <typename Body>
std::string Until(const Body& body) {
  return body.has_until() ? " until " + Show(body.until()) : "";
}

std::string DescribeUpdate(const v1::RoomUpdated& update) {
  std::string text;
  for (const std::string& name : update.changed()) {
    text += text.empty() ? "[changed " : ", ";
    text += Printable(name);
    if (name == "topic") text += fmt::format(": {}", Printable(update.topic()));
    if (name == "visibility") text += fmt::format(": {}", Show(update.visibility()));
    if (name == "isArchived") text += fmt::format(": {}", update.is_archived());
    if (name == "isReadOnly") text += fmt::format(": {}", update.is_read_only());
    if (name == "slowModeSeconds") text += fmt::format(": {}", update.slow_mode_seconds());
  }
  return (text.empty() ? "[changed nothing" : text) + "]";
}

}  // namespace

Table::Table(std::vector<std::string> headers) { rows_.push_back(std::move(headers)); }

void Table::Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

void Table::Print(std::ostream& out) const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - WidthOf(row[i]), ' ').append(kGap);
    }
    out << line << '\n';
  }
}

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  return status.ok() ? json : "{}";  // Only a broken Any could fail; there is none here.
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string Printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (text[0] == '\n') {
      shown += "\\n";
    } else if (length == 0 || !IsHarmless(text.substr(0, length))) {
      for (size_t i = 0; i < std::max<size_t>(length, 1); ++i) {
        shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
      }
    } else {
      shown.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return shown;
}

std::string OrDash(std::string_view text) { return text.empty() ? "-" : Printable(text); }

std::string Show(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "-";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ",
                          absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()),
                          absl::UTCTimeZone());
}

std::string Show(v1::Role role) {
  switch (role) {
    case v1::ROLE_READER:
      return "reader";
    case v1::ROLE_MEMBER:
      return "member";
    case v1::ROLE_MODERATOR:
      return "moderator";
    case v1::ROLE_OWNER:
      return "owner";
    default:
      return "-";
  }
}

std::string Show(v1::RoomVisibility visibility) {
  return visibility == v1::ROOM_VISIBILITY_PUBLIC ? "public" : "private";
}

std::string ShowStatus(const v1::Presence& presence) {
  if (!presence.is_online()) return "offline";
  if (presence.status() == v1::PRESENCE_STATUS_AWAY) return "away";
  return presence.status() == v1::PRESENCE_STATUS_DND ? "dnd" : "online";
}

std::string Show(const v1::Restriction* restriction) {
  if (restriction == nullptr) return "-";
  return restriction->has_until() ? Show(restriction->until()) : "until lifted";
}

const std::vector<std::string>& RoleWords() {
  static const std::vector<std::string> words = {"reader", "member", "moderator", "owner"};
  return words;
}

v1::Role RoleOfWord(std::string_view word) {
  for (const v1::Role role :
       {v1::ROLE_READER, v1::ROLE_MEMBER, v1::ROLE_MODERATOR, v1::ROLE_OWNER}) {
    if (Show(role) == word) return role;
  }
  return v1::ROLE_UNSPECIFIED;
}

std::string Describe(const v1::Event& event) {
  switch (event.body_case()) {
    case v1::Event::kMessagePosted:
      return Printable(event.message_posted().content());
    case v1::Event::kMemberAdded:
      return fmt::format("[added {} as {}]", Printable(event.member_added().user_id()),
                         Show(event.member_added().role()));
    case v1::Event::kMemberRemoved:
      return fmt::format("[removed {}]", Printable(event.member_removed().user_id()));
    case v1::Event::kMemberRoleChanged:
      return fmt::format("[{} is now {}]", Printable(event.member_role_changed().user_id()),
                         Show(event.member_role_changed().role()));
    case v1::Event::kRoomUpdated:
      return DescribeUpdate(event.room_updated());
    case v1::Event::kMemberBanned:
      return fmt::format("[banned {}{}]", Printable(event.member_banned().user_id()),
                         Until(event.member_banned()));
    case v1::Event::kMemberUnbanned:
      return fmt::format("[lifted the ban of {}]", Printable(event.member_unbanned().user_id()));
    case v1::Event::kMemberMuted:
      return fmt::format("[muted {}{}]", Printable(event.member_muted().user_id()),
                         Until(event.member_muted()));
    case v1::Event::kMemberUnmuted:
      return fmt::format("[lifted the mute of {}]", Printable(event.member_unmuted().user_id()));
    case v1::Event::kMessageEdited:
      return fmt::format("[edited {}: {}]", event.message_edited().message_seq(),
                         Printable(event.message_edited().content()));
    case v1::Event::kMessageDeleted:
      return fmt::format("[deleted {}]", event.message_deleted().message_seq());
    case v1::Event::kNotificationPosted:
      return fmt::format("[{}] {}", Printable(event.notification_posted().notification().event()),
                         Printable(event.notification_posted().notification().json()));
    case v1::Event::BODY_NOT_SET:
      break;
  }
  return "[an event this confabctl does not know]";
}

std::string ActorOf(const v1::Event& event) {
  if (event.actor().id().empty()) return "system";
  if (event.actor().name().empty()) return Printable(event.actor().id());
  return fmt::format("{} ({})", Printable(event.actor().name()), Printable(event.actor().id()));
}

}  // namespace confab::ctl
