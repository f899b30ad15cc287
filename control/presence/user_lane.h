// user_lane.h: the users and roles of one lane: which edges hold their topics, and what they are
// told there.
// Owns: the topics of its users and roles; what a turn gathers for edges.
// Used by: dispatch.
// Threads: confined to the lane, except the constructor (before the lane runs).
// Fails: never.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <absl/types/span.h>

#include "confab/v1/edge_link.pb.h"

#include "control/fanout/edge_outbox.h"
#include "control/fanout/edge_registry.h"
#include "control/fanout/own_topics.h"
#include "control/presence/user_events.h"
#include "storage/records.h"

namespace confab::control {

// What one edge says to one lane, in order.
struct UserNews {
  // A connection of which only the role lives on this lane.
  struct RoleTaken {
    std::string role;
  };
  struct RoleGiven {
    std::string role;
  };
  using Item = std::variant<OpenedConnection, ClosedConnection, RoleTaken, RoleGiven>;

  std::shared_ptr<Attachment> edge;
  std::vector<Item> items;
};

class UserLane {
 public:
  UserLane() : topics_(outbox_) {}
  UserLane(const UserLane&) = delete;
  UserLane& operator=(const UserLane&) = delete;

  void Take(const UserNews& news);
  void Detach(const Attachment& edge);

  // The user is a member of that room now.
  void OnMember(const storage::UserId& user, const storage::RoomId& room);

  // Sends `what` to topics of users and roles of this lane. Returns how many connections have them.
  size_t Broadcast(absl::Span<const std::string> topics, const v1::Broadcast& what) {
    return topics_.Broadcast(topics, what);
  }

  // The lane's turn end: hands over what the turn gathered.
  void EndTurn() { outbox_.Flush(); }

 private:
  EdgeOutbox outbox_;
  OwnTopics topics_;
};

}  // namespace confab::control
