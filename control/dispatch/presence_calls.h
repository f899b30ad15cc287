// presence_calls.h: what is asked about users and their connections: goes from lane to lane and
// comes back with what they know.
// Owns: nothing.   Used by: api, edge_reads.
// Threads: any thread; callbacks run exactly once each, on a lane, or inside the call when it is
// refused at once; they must not block.
// Fails: UNAVAILABLE while control does not serve or an act cannot be recorded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/dispatch/dispatcher.h"
#include "control/presence/presence_sink.h"
#include "control/presence/presence_tracker.h"
#include "control/room/room_calls.h"
#include "storage/records.h"

namespace confab::control {

// A user with the connections that make it so.
struct UserLook {
  PresenceView view;
  std::vector<TrackedConnection> connections;
};

struct RoomLook {
  std::vector<SharedView> online;  // A page, in order of the users' ids.
  bool has_more = false;
  int64_t online_count = 0;
  int64_t member_count = 0;
};

struct ConnectionsPage {
  std::vector<UserLook> users;  // In order of their ids.
  bool has_more = false;
};

class PresenceCalls {
 public:
  using UserId = storage::UserId;
  using RoomId = storage::RoomId;

  explicit PresenceCalls(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}

  // In the order asked for.
  void Get(std::vector<UserId> users, Callback<std::vector<UserLook>> done);
  // `asker` empty: the system; else a user, who must be a member. Users behind `after`.
  void List(RoomId room, UserId asker, UserId after, size_t limit, Callback<RoomLook> done);

  struct Target {
    std::vector<UserId> users;
    std::optional<RoomId> room;  // Neither: everybody.
  };
  // The sink is offered who is online of these, then each change, until it is gone.
  void Watch(Target target, std::shared_ptr<PresenceSink> sink, Callback<bool> done);

  // Users behind `after` that have connections; or this one alone.
  void ListConnections(UserId user, UserId after, size_t limit, Callback<ConnectionsPage> done);
  // Closes all of the user's connections, or the one of that edge and number. The act stands in the
  // audit table before; what is not recorded is not done. Answers how many.
  void Kick(UserId user, std::optional<std::pair<std::string, uint64_t>> one, const Asker& asker,
            Deadline deadline, Callback<size_t> done);

 private:
  Dispatcher& dispatcher_;
};

}  // namespace confab::control
