#include "control/dispatch/room_lanes.h"

#include <algorithm>
#include <thread>
#include <type_traits>
#include <variant>

#include "control/status_reason.h"

namespace confab::control {
namespace {

size_t LaneCount(const DispatcherOptions& options) {
  if (options.lanes > 0) return static_cast<size_t>(options.lanes);
  return std::max<size_t>(1, std::thread::hardware_concurrency());
}

absl::Status Stopped() {
  return RefusalStatus(v1::REASON_UNAVAILABLE, "control is stopping; try again");
}

void Refuse(RoomCommand& command) {
  if (auto* tail = std::get_if<TailRequest>(&command.request)) tail->seat->sink->End(Stopped());
  std::visit(
      [](auto& reply) {
        using R = std::decay_t<decltype(reply)>;
        // An edge's stream is closed; it needs no answers.
        if constexpr (!std::is_same_v<R, std::monostate> && !std::is_same_v<R, EdgeReply>) {
          reply(Stopped());
        }
      },
      command.reply);
}

// Commands on their way to a lane. If the lane has ended meanwhile, they are refused here.
class Batch {
 public:
  explicit Batch(RoomLanes::Commands commands) : commands_(std::move(commands)) {}
  Batch(Batch&&) = default;
  ~Batch() {
    for (auto& command : commands_) Refuse(*command);
  }
  RoomLanes::Commands Take() { return std::exchange(commands_, {}); }

 private:
  RoomLanes::Commands commands_;
};

}  // namespace

RoomLanes::RoomLanes(const DispatcherOptions& options, process::Metrics& metrics,
                     storage::Store& store, std::function<void(absl::Status)> on_fatal)
    : lanes_(LaneCount(options)),
      readers_(static_cast<size_t>(std::max(options.readers, 1))),
      store_(store),
      commits_(
          metrics, lanes_.size(),
          [this](size_t lane, CommitQueue::Jobs jobs) {
            Post(lane, [jobs = std::move(jobs)](RoomLane& rooms) mutable {
              rooms.OnCommitted(std::move(jobs));
            });
          },
          std::move(on_fatal)) {
  for (size_t i = 0; i < lanes_.size(); ++i) {
    RoomLane::Parts parts;
    parts.index = i;
    parts.lane = &lanes_.at(i);
    parts.readers = &readers_;
    // A quarter is left to calls that read without a lane.
    parts.reads_limit = std::max<size_t>(1, ReadPool::kQueueLimit * 3 / 4 / lanes_.size());
    parts.store = &store;
    parts.commits = &commits_;
    parts.watch = this;
    parts.metrics = &metrics;
    rooms_.push_back(std::make_unique<RoomLane>(parts));
    users_.push_back(std::make_unique<UserLane>());
  }
  // A lane tells others, so all are there before the first runs.
  for (size_t i = 0; i < lanes_.size(); ++i) {
    lanes_.at(i).Start([rooms = rooms_[i].get(), users = users_[i].get()] {
      rooms->EndTurn();
      users->EndTurn();
    });
  }
  commits_.Start(store);
}

RoomLanes::~RoomLanes() { Stop(); }

void RoomLanes::OnMember(const storage::RoomId& room, const storage::UserId& user) {
  PostUsers(LaneOf(user), [room, user](UserLane& users) { users.OnMember(user, room); });
}

// Each step answers into the next: commits and reads into lanes, which end last.
void RoomLanes::Stop() {
  commits_.Stop();
  readers_.Stop();
  for (size_t i = 0; i < lanes_.size(); ++i) {
    Post(i, [](RoomLane& rooms) { rooms.Stop(); });
  }
  for (size_t i = 0; i < lanes_.size(); ++i) lanes_.at(i).Stop();
}

void RoomLanes::Submit(size_t lane, Commands commands) {
  if (commands.empty()) return;
  Post(lane, [batch = Batch(std::move(commands))](RoomLane& rooms) mutable {
    rooms.Submit(batch.Take());
  });
}

void RoomLanes::Submit(std::unique_ptr<RoomCommand> command) {
  const size_t lane = LaneOf(command->room());
  Commands commands;
  commands.push_back(std::move(command));
  Submit(lane, std::move(commands));
}

}  // namespace confab::control
