// room_log_follower.h: publishes one room's log in seq order, each event once, and answers a
// command only when its events are out.
// Owns: the published position, commands that wait for it, the audience, the log's reader.
// Used by: live_room.
// Threads: confined to the room's lane.
// Fails: never; a gap is read from the store for as long as it takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <utility>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "control/fanout/room_audience.h"
#include "control/room/lane_tools.h"
#include "control/room/log_reader.h"
#include "control/room/room_command.h"
#include "storage/records.h"

namespace confab::control {

class RoomLogFollower final : private RoomAudience::Room {
 public:
  // What follows from the log; live_room.
  class Owner {
   public:
    // An event that changes members or the room was published.
    virtual void OnMemberEvent(const storage::NewEvent& event, int64_t seq, absl::Time at) = 0;
    // Everything up to the command's events is published.
    virtual void OnSettled(std::unique_ptr<RoomCommand> command) = 0;
    // The log was read to its end.
    virtual void OnSynced() = 0;
    // The store did not answer; reading is tried again.
    virtual void OnSyncFailed() = 0;
    // The store does not have the room (any more).
    virtual void OnGone() = 0;
    virtual void OnEdgeSettled(const Attachment& edge) = 0;

   protected:
    ~Owner() = default;
  };

  static constexpr int kPageEvents = 500;
  static constexpr absl::Duration kRetryMin = absl::Milliseconds(20);
  static constexpr absl::Duration kRetryMax = absl::Seconds(1);

  RoomLogFollower(const storage::RoomId& room, LaneTools& tools, Owner& owner);
  RoomLogFollower(const RoomLogFollower&) = delete;
  RoomLogFollower& operator=(const RoomLogFollower&) = delete;

  RoomAudience& audience() { return audience_; }
  LogReader& reader() { return reader_; }
  int64_t published_seq() const override { return published_seq_; }

  // Nobody listens, nothing is under way: may be destroyed.
  bool is_idle() const {
    return audience_.empty() && waiting_.empty() && pending_ == 0 && reader_.is_idle();
  }

  // The room was loaded: what is in the log so far concerns nobody here.
  void Start(int64_t published_seq);

  // A command whose outcome is kStored or kDuplicate. In order of the commits.
  void Add(std::unique_ptr<RoomCommand> command);

  // Publishes what the store has beyond the published position, then calls OnSynced.
  void Sync();
  // The same now, and again a little later: a COMMIT whose answer was lost may still be under
  // way in the database.
  void SyncRepeatedly();

  // The room is gone: subscriptions and tails end.
  void EndAll(const absl::Status& why);
  // Control stops: tails end, edges keep their subscriptions.
  void EndTails(const absl::Status& why) { audience_.EndTails(why); }
  // The commands that wait to be published; they never will be.
  std::list<std::unique_ptr<RoomCommand>> TakeWaiting() { return std::exchange(waiting_, {}); }

 private:
  // RoomAudience::Room
  void ReadLog(int64_t after_seq, LogReader::Done done) override;
  const LogWindow* window() const override { return reader_.window(); }
  void Later(absl::Duration delay, absl::AnyInvocable<void()> task) override;
  void OnEdgeSettled(const Attachment& edge) override { owner_.OnEdgeSettled(edge); }

  bool Advance();
  bool IsPublished(RoomCommand& command);
  void Publish(storage::NewEvent& event, int64_t seq, absl::Time created_at,
               const storage::MessageMarks& marks);
  void ReadGap();
  void OnGap(uint64_t generation, absl::StatusOr<storage::EventPage> page);
  void RetryLater();
  bool PublishPage(storage::EventPage& page);

  const storage::RoomId& room_;
  LaneTools& tools_;
  Owner& owner_;
  RoomAudience audience_;
  int64_t published_seq_ = 0;
  LogReader reader_;
  std::list<std::unique_ptr<RoomCommand>> waiting_;  // For a gap to be filled.
  bool is_reading_ = false;
  bool is_sync_wanted_ = false;
  bool is_advancing_ = false;
  uint64_t generation_ = 0;  // Counts EndAll and Start; answers of an earlier one are void.
  size_t pending_ = 0;       // Reads and delays that will come back.
  absl::Duration retry_after_ = kRetryMin;
};

}  // namespace confab::control
