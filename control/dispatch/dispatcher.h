// dispatcher.h: the one way into what is true; takes commands of edges and calls of services to
// the lane of their room.
// Owns: lanes with their rooms, the commit queue, the read pool, what edges ask each other.
// Used by: edge_link (edges), api (services).
// Threads: any thread, except Start and Stop (the owner's). Callbacks run exactly once each, on a
// lane or reader thread, or inside the call when it is refused at once; they must not block.
// Fails: a refusal carries its reason (status_reason.h). UNAVAILABLE before Start and after Stop.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "confab/v1/edge_link.pb.h"
#include "confab/v1/types.pb.h"

#include "control/dispatch/dispatcher_types.h"
#include "control/dispatch/recoveries.h"
#include "control/fanout/edge_registry.h"
#include "control/fanout/edge_stream.h"
#include "control/room/permission.h"
#include "control/room/room_change.h"
#include "control/room/room_command.h"
#include "storage/records.h"
#include "storage/store.h"

namespace confab::process {
class Metrics;
}

namespace confab::control {

class RoomLanes;

class Dispatcher {
 public:
  // `metrics` outlives this object. `on_fatal` is called at most once, on a thread of this
  // object, when the store says that this process is not the active one any more.
  Dispatcher(DispatcherOptions options, process::Metrics& metrics,
             std::function<void(absl::Status)> on_fatal);
  ~Dispatcher();  // Stops, if it runs.
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Serves from now on. REQUIRES: the store is active and outlives Stop; called at most once.
  void Start(storage::Store& store);

  // How long the connections of an edge are counted on without hearing of it.
  absl::Duration lease() const { return options_.presence.lease; }

  // Between Start and Stop.
  bool is_serving() const;

  // Until when a command that comes now may wait for its outcome.
  Deadline DeadlineOf(Deadline asked) const;

  // Takes no more calls, finishes the batch that is being committed, answers every other call as
  // UNAVAILABLE and leaves other commands of edges to the next control; ends tails, closes edge
  // streams. Returns when all callbacks have run: nothing uses the store any more.
  void Stop();

  // --- Rooms. Identifiers and texts are checked here.
  void CreateRoom(storage::NewRoom room, Deadline deadline, Callback<storage::RoomRecord> done);
  void DeleteRoom(storage::RoomId room, Asker asker, Deadline deadline, Callback<RoomDeleted> done);
  void UpdateRoom(storage::RoomId room, Asker asker, v1::RoomChanges changes, Deadline deadline,
                  Callback<storage::RoomRecord> done);
  // `asker` as for ListMembers; a public room is shown to anybody.
  void GetRoom(storage::RoomId room, storage::UserId asker, Callback<RoomWithCount> done);
  // `member` empty: all rooms.
  void ListRooms(storage::RoomId after, storage::UserId member, int32_t limit,
                 Callback<std::vector<storage::RoomRecord>> done);

  // The rooms of a user, with how far the user has read each.
  void ListMemberships(storage::UserId user, storage::RoomId after, int32_t limit,
                       Callback<std::vector<storage::MembershipRecord>> done);

  // What of the room's log is kept; what is superfluous goes in the background.
  void SetRetention(storage::RoomId room, storage::Retention retention, const Asker& asker,
                    Deadline deadline, Callback<storage::Retention> done);

  // --- Members. An empty actor id is the system; anybody else needs the right role.
  void AddMembers(storage::RoomId room, Asker asker,
                  std::vector<std::pair<storage::UserId, storage::Role>> members, Deadline deadline,
                  Callback<MembersChanged> done);
  void RemoveMembers(storage::RoomId room, Asker asker, std::vector<storage::UserId> users,
                     Deadline deadline, Callback<MembersChanged> done);
  // MEMBER_NOT_FOUND where only a member can be changed.
  void ChangeMember(storage::RoomId room, Asker asker, PersonChange change, Deadline deadline,
                    Callback<storage::MemberRecord> done);
  // `asker` empty: the system; else a user, who must be a member, or a moderator to see who is
  // banned.
  void ListMembers(storage::RoomId room, storage::MemberFilter filter, storage::UserId asker,
                   storage::UserId after, int32_t limit,
                   Callback<std::vector<storage::MemberRecord>> done);

  // --- What was done, newest first. limit 0: 100; at most 1,000.
  void ListAudit(storage::AuditQuery query, Callback<std::vector<storage::AuditRecord>> done);

  // `asker` as for ListMembers.
  void CountMembers(storage::RoomId room, storage::UserId asker, Callback<int64_t> done);
  // For presence_calls and the like. REQUIRES: is_serving().
  RoomLanes& lanes() { return *lanes_; }
  const EdgeRegistry& edges() const { return edges_; }
  // What edges ask each other; needs no store, and is there all the time.
  Recoveries& recoveries() { return recoveries_; }

  // --- Messages.
  void PostAsService(ServicePost post, Deadline deadline, Callback<PostedMessage> done);
  // The answer tells of the event of the change.
  void ChangeMessage(ServiceChange change, Deadline deadline, Callback<PostedMessage> done);
  // Empties what the user has written, in every room.
  void EraseUser(storage::UserId user, const Asker& asker, EraseProgress progress);
  // Without a membership check. limit 0: 50; at most 500.
  void ListEvents(storage::EventQuery query, Deadline deadline, Callback<storage::EventPage> done);
  // Follows the room's log: behind `after_seq`, or from now on. Refusals come through End.
  std::unique_ptr<Tail> TailEvents(storage::RoomId room, std::optional<int64_t> after_seq,
                                   std::shared_ptr<TailSink> sink);

  // --- Edges. An Attachment is one stream of one edge; Detach is called exactly once for each.
  // The caller has sent Welcome on `stream` before. FAILED_PRECONDITION: a later epoch of this
  // edge is attached. An older stream of the edge is closed.
  absl::StatusOr<std::shared_ptr<Attachment>> Attach(EdgeAnnouncement hello,
                                                     std::shared_ptr<EdgeStream> stream);
  // In order of the stream. REQUIRES: one caller at a time for each attachment.
  void Dispatch(const std::shared_ptr<Attachment>& edge, std::vector<EdgeInput> inputs);
  void Detach(const std::shared_ptr<Attachment>& edge);

 private:
  void Submit(std::unique_ptr<RoomCommand> command, Reply reply, Deadline deadline);
  // An administrative act: `act` is its word in the audit table.
  void Change(const char* act, RoomRequest request, storage::RoomId room, Asker asker,
              Deadline deadline, Reply done);
  static absl::StatusOr<storage::RoomRecord> ReadRoomFor(storage::Store& store,
                                                         const storage::RoomId& room,
                                                         const storage::UserId& asker, RoomAct act);

  const DispatcherOptions options_;
  process::Metrics& metrics_;
  const std::function<void(absl::Status)> on_fatal_;
  EdgeRegistry edges_;
  Recoveries recoveries_;
  std::atomic<bool> is_serving_{false};
  std::shared_ptr<RoomLanes> lanes_;  // Set by Start; shared with running tails.
};

}  // namespace confab::control
