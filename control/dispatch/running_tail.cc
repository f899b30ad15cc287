#include "control/dispatch/running_tail.h"

#include <utility>

#include "control/dispatch/room_lanes.h"

namespace confab::control {

using storage::RoomId;

namespace {

// Keeps the lanes: a tail may outlive the dispatcher.
class RunningTail : public Tail {
 public:
  RunningTail(std::shared_ptr<RoomLanes> lanes, RoomId room, std::shared_ptr<TailSeat> seat)
      : lanes_(std::move(lanes)), room_(std::move(room)), seat_(std::move(seat)) {}

  ~RunningTail() override {
    seat_->is_cancelled = true;
    lanes_->Post(lanes_->LaneOf(room_),
                 [room = room_, seat = seat_](RoomLane& rooms) { rooms.RemoveTail(room, seat); });
  }

  void Resume() override {
    lanes_->Post(lanes_->LaneOf(room_),
                 [room = room_, seat = seat_](RoomLane& rooms) { rooms.ResumeTail(room, seat); });
  }

 private:
  const std::shared_ptr<RoomLanes> lanes_;
  const RoomId room_;
  const std::shared_ptr<TailSeat> seat_;
};

class NoTail : public Tail {
 public:
  void Resume() override {}
};

}  // namespace

std::unique_ptr<Tail> StartTail(const std::shared_ptr<RoomLanes>& lanes, RoomId room,
                                std::optional<int64_t> after_seq, std::shared_ptr<TailSink> sink) {
  auto seat = std::make_shared<TailSeat>();
  seat->sink = std::move(sink);
  auto command = std::make_unique<RoomCommand>();
  command->append.room = room;
  command->deadline = Deadline::max();
  command->request = TailRequest{seat, after_seq};
  lanes->Submit(std::move(command));
  return std::make_unique<RunningTail>(lanes, std::move(room), std::move(seat));
}

std::unique_ptr<Tail> EndedTail() { return std::make_unique<NoTail>(); }

}  // namespace confab::control
