// dispatcher_types.h: what goes into the dispatcher and what comes out of it.
// Threads: values.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "confab/v1/edge_link.pb.h"

#include "control/fanout/tail_sink.h"
#include "control/presence/presence_tracker.h"
#include "control/presence/user_events.h"
#include "control/room/commit_forecast.h"
#include "control/room/commit_queue.h"
#include "control/room/room_calls.h"
#include "storage/records.h"
#include "storage/upkeep.h"

namespace confab::control {

struct RoomWithCount {
  storage::RoomRecord room;
  int64_t member_count = 0;
  storage::Retention retention;
};

// A message that a service posts.
struct ServicePost {
  storage::RoomId room;
  // Set: as this user, who must be a member that may post. Not set: as the system.
  std::optional<storage::Actor> sender;
  std::string service;          // Name of the calling service, 1 to 128 bytes.
  std::string idempotency_key;  // At most 128 bytes; empty: a retry posts again.
  std::string type;             // Ignored for the system.
  std::string content;
  std::string reply_to;
  std::string body;
  std::vector<storage::UserId> mentions;
};

// An edit or deletion that a service asks for.
struct ServiceChange {
  storage::RoomId room;
  std::string message_id;
  // Set: as this user, who must be the sender or a moderator. Not set: as the system.
  std::optional<storage::Actor> actor;
  Asker asker;
  bool is_deletion = false;
  std::string content;
  std::string body;
  std::vector<storage::UserId> mentions;
};

// What an edge says in its Hello, all chunks together.
struct EdgeAnnouncement {
  struct Room {
    storage::RoomId room;
    int64_t delivered_seq = 0;
    std::vector<storage::UserId> users;  // Distinct users of the connections subscribed to it.
  };
  std::string edge_id;
  uint64_t epoch = 0;
  std::string version;
  std::vector<Room> rooms;
  std::vector<OpenedConnection> connections;  // Of sockets.
};

// A command with who asks; the edge's connection table knows.
struct EdgeCommand {
  std::shared_ptr<const storage::Actor> actor;
  v1::Command command;
  // Name of the service whose token came with a Publish or Notify and was good for it.
  std::string service = {};
};

// What an edge says after its Hello.
using EdgeInput = std::variant<EdgeCommand, v1::TopicReleased, OpenedConnection, ClosedConnection,
                               v1::NotificationReport>;

// How far the erasing of a user has come.
struct EraseReport {
  int64_t rooms = 0;  // Finished.
  int64_t rooms_total = 0;
  int64_t messages = 0;
  bool is_done = false;
};
// Called now and then, a last time with a report that is done or with what failed. False: it is to
// end there.
using EraseProgress = std::function<bool(absl::StatusOr<EraseReport>)>;

struct DispatcherOptions {
  int lanes = 0;    // 0: one for each core.
  int readers = 8;  // Threads that read the store.
  // A command waits no longer than this for its outcome; edges give up at 3 s.
  absl::Duration command_deadline = absl::Milliseconds(2500);
  PresenceTimes presence;
  // Nobody is told of presence so long after the start: edges that were attached to another control
  // come back meanwhile.
  absl::Duration presence_settle = absl::Seconds(45);
  // Rooms of more members are not told how far somebody has read; at most kMembersCounted - 1.
  int32_t receipt_members = 50;
  // A sender's read pointer is written once in so long.
  absl::Duration own_pointers_delay = CommitQueue::kOwnPointersDelay;
  // Messages are refused at once when nothing has been written for so long.
  absl::Duration away_after = absl::FromChrono(CommitForecast::kAwayAfter);
  // From one look at the rooms that do not keep everything to the next.
  absl::Duration retention_round = absl::Seconds(60);
};

}  // namespace confab::control
