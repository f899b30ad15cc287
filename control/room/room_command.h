// room_command.h: one thing that is asked of a room, from where it was asked to its answer.
// Threads: values; a command is in one thread's hands at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "control/fanout/edge_registry.h"
#include "control/fanout/room_audience.h"
#include "control/fanout/shared_page.h"
#include "control/room/commit_queue.h"
#include "control/room/room_calls.h"
#include "control/room/room_change.h"
#include "storage/records.h"

namespace confab::control {

class LiveRoom;

// --- What is asked. The room is CommitJob::append.room.
struct JoinRequest {
  std::optional<int64_t> after_seq;
  bool must_be_member = false;  // It makes nobody a member.
  bool is_enrolled = false;     // The user was made a member by this command.
  bool has_synced = false;      // The log was read to its end for this command.
};
struct LeaveRequest {};
struct PostRequest {};  // The event stands in append.events; an empty actor id is the system.
struct TypingRequest {
  bool is_typing = false;
};
// An edit or deletion; the event stands in append.events.
struct ChangeMessageRequest {
  std::shared_ptr<const storage::AuditNote> note;  // Of one who may change messages of others.
};
struct MarkReadRequest {
  int64_t seq = 0;
};
struct ReadRequest {
  storage::EventQuery query;
  bool is_replay = false;
  // One of them, read: may the user have it? An edge's forward pages are the shared ones.
  std::optional<storage::EventPage> page;
  std::optional<SharedPage> shared;
};
struct EnrollRequest {};  // The user becomes a member; subscribes nothing.
struct QuitRequest {};    // The user stops being one.
struct AddRequest {
  std::vector<std::pair<storage::UserId, storage::Role>> members;
};
struct RemoveRequest {
  std::vector<storage::UserId> users;
};
struct PersonRequest {
  PersonChange change;
};
struct UpdateRequest {
  v1::RoomChanges changes;
};
struct CreateRequest {};  // CommitJob::new_room
struct DeleteRequest {};
// An edge has attached that carries subscribers of the room.
struct AnnounceRequest {
  int64_t delivered_seq = 0;
  std::vector<storage::UserId> users;
  // Progress, all as of `version` of the member list.
  int64_t version = -1;
  size_t checked = 0;                                      // Users looked at.
  std::vector<std::pair<storage::UserId, int64_t>> ended;  // With the last event that is theirs.
  std::vector<storage::UserId> suspects;  // Changed behind delivered_seq: were they members there?
  int64_t scanned_seq = 0;
  bool has_synced = false;
};
struct TailRequest {
  std::shared_ptr<TailSeat> seat;
  std::optional<int64_t> after_seq;
  bool has_synced = false;
};

using RoomRequest =
    std::variant<JoinRequest, LeaveRequest, PostRequest, ChangeMessageRequest, MarkReadRequest,
                 TypingRequest, ReadRequest, EnrollRequest, QuitRequest, AddRequest, RemoveRequest,
                 PersonRequest, UpdateRequest, CreateRequest, DeleteRequest, AnnounceRequest,
                 TailRequest>;

// --- Who gets the answer.
struct EdgeReply {
  uint64_t connection = 0;
  uint64_t request = 0;
};
using Reply =
    std::variant<std::monostate, EdgeReply, Callback<PostedMessage>, Callback<storage::EventPage>,
                 Callback<MembersChanged>, Callback<storage::MemberRecord>,
                 Callback<storage::RoomRecord>, Callback<RoomDeleted>>;

struct RoomCommand : CommitJob {
  const storage::RoomId& room() const { return append.room; }

  RoomRequest request;
  Reply reply;
  std::shared_ptr<Attachment> edge;             // Null: a service asks.
  std::shared_ptr<const storage::Actor> actor;  // Null: the system.
  // Of what needs one and brought none of its own; empty for a message with its client's key.
  storage::DedupKey key;
  // The same command again does no harm, so an unknown outcome may be answered as retryable.
  bool is_repeat_safe = true;

  // --- Of the lane.
  LiveRoom* home = nullptr;
  uint64_t order = 0;       // In which the room got it.
  int tries = 0;            // Times it was decided on a member list that had changed.
  bool is_barrier = false;  // Later commands wait for its outcome.
  bool is_settled = false;  // Its events are published; the answer waits for its edge.
};

}  // namespace confab::control
