// command_runner.h: what each command does to a loaded room; the one switch over the requests.
// Owns: nothing.   Used by: live_room, which does what the step says.
// Threads: confined to the room's lane.
// Fails: a refusal is given to the sender here.
#pragma once

#include <cstdint>

#include "control/room/lane_tools.h"
#include "control/room/room.h"
#include "control/room/room_command.h"
#include "control/room/room_log_follower.h"
#include "control/room/room_typing.h"

namespace confab::control {

// What the command needs next. All but kAnswered: run it again after that.
enum class Step {
  kAnswered,       // Nothing; it is done with.
  kLoad,           // Pairs of the member list, or a later version of it: see is_stale.
  kSync,           // The log read to its end.
  kScan,           // The next page of the log behind AnnounceRequest::scanned_seq.
  kReadPage,       // The page it asks for.
  kWrite,          // Its events committed.
  kWriteAndBlock,  // The same, and nothing else decided before.
  kPark,           // Its edge caught up with the log.
};

class CommandRunner {
 public:
  // Decisions on a member list that has changed meanwhile, before the sender shall try again.
  static constexpr int kTriesLimit = 3;

  CommandRunner(LaneTools& tools, RoomLogFollower& log, RoomTyping& typing)
      : tools_(tools), log_(log), typing_(typing) {}

  Step Run(Room& room, RoomCommand& command);

  // Answers a command that will not be run.
  void Refuse(RoomCommand& command, const absl::Status& why);
  // The command's events are published. False: it is to be run again. `room`: as it is since
  // then; null for what only posts.
  bool Settle(RoomCommand& command, const Room* room);

  // The user that asks; an empty id is the system.
  static const storage::Actor& ActorOf(const RoomCommand& command);

 private:
  Step RunJoin(Room& room, RoomCommand& command, JoinRequest& join);
  Step RunLeave(Room& room, RoomCommand& command);
  Step RunPost(Room& room, RoomCommand& command);
  Step RunTyping(Room& room, RoomCommand& command, const TypingRequest& typing);
  Step RunChangeMessage(Room& room, RoomCommand& command, const ChangeMessageRequest& change);
  Step RunMarkRead(Room& room, RoomCommand& command, const MarkReadRequest& mark);
  Step RunRead(Room& room, RoomCommand& command, ReadRequest& read);
  template <typename Page>
  void AnswerRead(RoomCommand& command, const storage::EventQuery& query, int64_t end_seq,
                  Page page);
  Step RunEnroll(Room& room, RoomCommand& command);
  Step RunQuit(Room& room, RoomCommand& command);
  Step RunChange(Room& room, RoomCommand& command, MemberChange change);
  // Answers a command that changes members or the room, which is as asked now.
  void AnswerChange(RoomCommand& command, const Room& room, size_t changed);
  Step RunAnnounce(Room& room, RoomCommand& command, AnnounceRequest& announce);
  Step RunTail(RoomCommand& command, TailRequest& tail);
  // For a verdict that is not kAllow.
  Step Deny(RoomCommand& command, const Verdict& verdict);
  bool NeedsLog(int64_t seq, bool& has_synced) const;

  LaneTools& tools_;
  RoomLogFollower& log_;
  RoomTyping& typing_;
};

}  // namespace confab::control
