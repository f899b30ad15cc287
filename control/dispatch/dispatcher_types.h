// dispatcher_types.h: what goes into the dispatcher and what comes out of it.
// Threads: values.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "confab/v1/edge_link.pb.h"

#include "storage/records.h"

namespace confab::control {

// A jump of the wall clock must not fail a command.
using Deadline = std::chrono::steady_clock::time_point;

template <typename T>
using Callback = absl::AnyInvocable<void(absl::StatusOr<T>)>;

struct RoomDeleted {};

struct RoomWithCount {
  storage::RoomRecord room;
  int64_t member_count = 0;
};

struct MembersChanged {
  int32_t changed = 0;   // Members that are new, have a new role, or were removed.
  int64_t last_seq = 0;  // Newest event of the room afterwards.
};

struct PostedMessage {
  std::string message_id;
  int64_t seq = 0;
  absl::Time created_at;
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
};

// Where a tail's events go. The caller of TailEvents implements it.
// Threads: called on one lane thread, one call at a time; must not block.
class TailSink {
 public:
  virtual ~TailSink() = default;
  // Takes the next event, or answers false if there is no room for it now: then the tail waits
  // for Tail::Resume and offers it again (read from the log, so nothing is kept meanwhile).
  virtual bool Offer(const v1::Event& event) = 0;
  // The tail has ended; nothing follows. Not called after the Tail was destroyed.
  virtual void End(absl::Status why) = 0;
};

// A running tail; destroying it ends it (a call of the sink may still be under way).
// Threads: any thread.
class Tail {
 public:
  virtual ~Tail() = default;
  // The sink has room again.
  virtual void Resume() = 0;
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
};

// A command with who asks; the edge's connection table knows.
struct EdgeCommand {
  std::shared_ptr<const storage::Actor> actor;
  v1::Command command;
};

// What an edge says after its Hello and what concerns rooms.
using EdgeInput = std::variant<EdgeCommand, v1::TopicReleased>;

struct DispatcherOptions {
  int lanes = 0;    // 0: one for each core.
  int readers = 8;  // Threads that read the store.
  // A command waits no longer than this for its outcome; edges give up at 3 s.
  absl::Duration command_deadline = absl::Milliseconds(2500);
};

}  // namespace confab::control
