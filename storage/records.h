// records.h: what the store keeps, as plain values, and the distinct id types.
// Threads: immutable values; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/inlined_vector.h>
#include <absl/time/time.h>

#include "storage/room_settings.h"

namespace confab::storage {

// An opaque id; each kind is a type of its own so that two of them cannot be mistaken.
template <typename Tag>
struct Id {
  std::string value;

  Id() = default;
  explicit Id(std::string text) : value(std::move(text)) {}
  bool empty() const { return value.empty(); }
  friend bool operator==(const Id&, const Id&) = default;
  friend auto operator<=>(const Id&, const Id&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const Id& id) {
    return H::combine(std::move(state), id.value);
  }
};
using RoomId = Id<struct RoomTag>;
using UserId = Id<struct UserTag>;

// The numbers are stored; they are never reused.
enum class Role : int8_t { kNone = 0, kReader = 1, kMember = 2, kModerator = 3, kOwner = 4 };

// The numbers are stored; they are never reused.
enum class EventKind : int8_t {
  kMessagePosted = 1,
  kMessageEdited = 2,
  kMessageDeleted = 3,
  kMemberAdded = 4,
  kMemberRemoved = 5,
  kMemberRoleChanged = 6,
  kRoomUpdated = 7,
  kMemberBanned = 8,  // No member any more, if he was one.
  kMemberUnbanned = 9,
  kMemberMuted = 10,
  kMemberUnmuted = 11,
  kNotificationPosted = 12,  // Of a service: its event's name is `type`, its JSON `content`.
};

// Whether it changes who may do what in the room, so that decisions made before it are stale.
inline bool ChangesRules(EventKind kind) {
  return kind >= EventKind::kMemberAdded && kind <= EventKind::kMemberUnmuted;
}

// An edit or a deletion: it names a message and changes what its row says.
constexpr bool ChangesMessage(EventKind kind) {
  return kind == EventKind::kMessageEdited || kind == EventKind::kMessageDeleted;
}

// Who caused an event, a snapshot of that moment. Empty id: the system.
struct Actor {
  UserId id;
  std::string name;
  std::string email;
  friend bool operator==(const Actor&, const Actor&) = default;
};

// What makes a retry recognisable. Unique within (room, actor id, space).
struct DedupKey {
  enum class Space : char {
    kClient = 'c',   // The client's clientMsgId, given back to readers.
    kEdge = 'e',     // Made by the edge: edge, epoch, request.
    kService = 's',  // A service's idempotency key (service name included), or one made for it.
  };
  Space space = Space::kEdge;
  std::string key;  // 1 to 300 bytes.
  friend bool operator==(const DedupKey&, const DedupKey&) = default;
};

// An event that is to be appended. Content fields are used by kind: messages use message_id to
// mentions, an edit names its message by message_id and has the new content, body and mentions, a
// deletion only the message_id; events about a user use subject, and role: the one given, or with
// kMemberBanned the one lost. The content of kMemberBanned and kMemberMuted is the end
// (restriction.h), that of kRoomUpdated the settings (room_settings.h), its type the names of those
// that changed, with commas.
struct NewEvent {
  EventKind kind = EventKind::kMessagePosted;
  Actor actor;
  DedupKey dedup;
  std::string message_id;
  std::string type;
  std::string content;
  std::string reply_to;  // A message_id of the same room.
  std::string body;      // One JSON value, or empty.
  std::vector<UserId> mentions;
  // Of an edit or deletion: the message's place. Found by the store, not given to it.
  int64_t target_seq = 0;
  UserId subject;
  Role role = Role::kNone;
  friend bool operator==(const NewEvent&, const NewEvent&) = default;
};

// What became of a message. The log keeps only what it says now.
struct MessageMarks {
  int64_t edited_seq = 0;  // The newest event that edited it; 0: none.
  // True: content, body and mentions are gone.
  bool is_deleted = false;
  friend bool operator==(const MessageMarks&, const MessageMarks&) = default;
};

// An event as it stands in a room's log. An edit shows what its message says now.
struct EventRecord {
  RoomId room;
  int64_t seq = 0;
  absl::Time created_at;  // Microsecond precision; never runs against seq within a room.
  NewEvent event;
  MessageMarks marks = {};
  friend bool operator==(const EventRecord&, const EventRecord&) = default;
};

struct RoomRecord : RoomSettings {
  RoomId id;
  int64_t last_seq = 0;  // Newest event of the log; 0: none.
  // Newest event that changes members or the room (ChangesRules): the version of both.
  int64_t member_seq = 0;
  absl::Time created_at;
};

// One (room, user) pair. A removed member leaves a row with Role::kNone, so that changed_seq
// tells where the membership ended.
struct MemberRecord {
  UserId user;
  Role role = Role::kNone;
  int64_t changed_seq = 0;  // Seq of the event that gave the role; 0 with kNone: never a member.
  absl::Time changed_at = absl::UnixEpoch();
  absl::Time banned_until = absl::UnixEpoch();  // restriction.h
  absl::Time muted_until = absl::UnixEpoch();   // Outlives the membership.
};

// Which pairs of a room.
enum class MemberFilter { kMembers, kBanned };

// What the audit table is to hold of a command, beside what its events say.
struct AuditNote {
  std::string act;         // "member.ban"
  std::string service;     // Whose token was shown; empty: a user asked.
  std::string request_id;  // What the caller and the log know it by.
};

// The events of one command, appended together or not at all.
struct AppendRequest {
  RoomId room;
  // The member list's version the command was decided with. If the room's is another by then,
  // nothing is appended and the outcome is kStaleMembers.
  int64_t expected_member_seq = 0;
  // At least one. The dedup key of the first decides whether the request is a retry; further
  // events carry keys derived from it.
  absl::InlinedVector<NewEvent, 1> events;
  // Not null: a row is recorded for each event, but for an edit or deletion of one's own message.
  std::shared_ptr<const AuditNote> audit = nullptr;
  // An edit or deletion: only of a message of the same actor; else the outcome is kNotOwn.
  bool is_own_only = false;
};

struct AppendOutcome {
  enum class Kind {
    kStored,        // first_seq is the seq of the first event, the others follow it.
    kDuplicate,     // The first event's key is in the log already: first_seq, message_id and
                    // created_at are those of the first time.
    kStaleMembers,  // Nothing appended; member_seq tells the room's present version.
    kRoomNotFound,  // Nothing appended.
    // The message to edit, to delete or to answer is not in the room, or deleted. Nothing appended.
    kNoTarget,
    kNotOwn,  // Nothing appended.
  };
  Kind kind = Kind::kRoomNotFound;
  int64_t first_seq = 0;
  std::string message_id;
  absl::Time created_at;
  int64_t member_seq = 0;  // After the request.
  int64_t target_seq = 0;  // kStored, of an edit or deletion: the message's place.
};

struct NewRoom : RoomSettings {
  RoomId id;
  Actor creator;  // Actor of the membership events; empty id: the system.
  std::vector<std::pair<UserId, Role>> members;  // Distinct users; become events 1…n of the log.
  std::shared_ptr<const AuditNote> audit = nullptr;  // Null: not recorded.
};

// A room and the asked (room, user) pairs, all as of one moment.
struct RoomSnapshot {
  RoomRecord room;
  std::vector<MemberRecord> members;  // One for each user asked, in that order.
};

struct EventQuery {
  RoomId room;
  // At most one of the four is given. after_seq: events behind it, oldest first. before_seq: the
  // newest events before it. None: the newest events.
  int64_t after_seq = -1;
  int64_t before_seq = -1;
  int32_t limit = 50;
  int32_t bytes_limit = 256 * 1024;  // Of content, body and mentions; at least one event is held.
  // As after_seq, from the first event of this time or later on; as before_seq, up to the last one
  // before this time.
  std::optional<absl::Time> since = {};
  std::optional<absl::Time> until = {};
};

struct EventPage {
  std::vector<EventRecord> events;  // Ascending seq, contiguous.
  bool more = false;                // Further events lie in the direction read.
  int64_t last_seq = 0;             // Of the room, in the same snapshot.
  int64_t member_seq = 0;           // Likewise.
};

}  // namespace confab::storage
