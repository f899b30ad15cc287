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
                     storage::Store& store, EdgeRegistry& edges,
                     std::function<void(absl::Status)> on_fatal)
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
          std::move(on_fatal), absl::ToChronoNanoseconds(options.away_after)) {
  for (size_t i = 0; i < lanes_.size(); ++i) MakeLane(i, options, metrics, edges);
  // A lane tells others, so all are there before the first runs.
  for (size_t i = 0; i < lanes_.size(); ++i) {
    lanes_.at(i).Start([rooms = rooms_[i].get(), users = users_[i].get(),
                        notifications = notifications_[i].get()] {
      rooms->EndTurn();
      users->EndTurn();
      notifications->EndTurn();
    });
    PostToUsers(i, [](UserLane& users) { users.Start(); });
  }
  commits_.Start(store);
  Post(0, [round = options.retention_round](RoomLane& rooms) { rooms.SweepRetention(round); });
}

// Of what the read pool holds three quarters are for rooms (two thirds of that for pages of their
// logs), an eighth is for presence, and the rest for calls that read without a lane.
void RoomLanes::MakeLane(size_t index, const DispatcherOptions& options, process::Metrics& metrics,
                         EdgeRegistry& edges) {
  RoomLane::Parts rooms;
  rooms.index = index;
  rooms.lane = &lanes_.at(index);
  rooms.readers = &readers_;
  rooms.reads_limit = std::max<size_t>(1, ReadPool::kQueueLimit * 3 / 4 / lanes_.size());
  rooms.activity_reader = &activity_reader_;
  rooms.store = &store_;
  rooms.commits = &commits_;
  rooms.watch = this;
  rooms.metrics = &metrics;
  rooms.receipt_members = options.receipt_members;
  rooms.own_pointers_delay = options.own_pointers_delay;
  rooms_.push_back(std::make_unique<RoomLane>(rooms));
  const size_t presence_reads = std::max<size_t>(1, ReadPool::kQueueLimit / 16 / lanes_.size());
  presence_.push_back(
      std::make_unique<RoomPresence>(lanes_.at(index), readers_, presence_reads, store_));
  UserLane::Parts users;
  users.index = index;
  users.lane = &lanes_.at(index);
  users.readers = &readers_;
  users.reads_limit = presence_reads;
  users.store = &store_;
  users.lanes = this;
  users.metrics = &metrics;
  users.times = options.presence;
  users.settle = options.presence_settle;
  users_.push_back(std::make_unique<UserLane>(users));
  NotificationLane::Parts told;
  told.index = index;
  told.lanes = lanes_.size();
  told.lane = &lanes_.at(index);
  told.readers = &readers_;
  told.store = &store_;
  told.users = users_.back().get();
  told.rooms = rooms_.back().get();
  told.edges = &edges;
  told.metrics = &metrics;
  notifications_.push_back(std::make_unique<NotificationLane>(told));
  users_.back()->SetWatch(notifications_.back().get());
}

RoomLanes::~RoomLanes() { Stop(); }

// On the room's lane, as its presence is.
void RoomLanes::OnMember(const storage::RoomId& room, const storage::UserId& user,
                         int64_t added_seq) {
  presence_[LaneOf(room)]->OnMember(room, added_seq > 0);
  PostToUsers(LaneOf(user),
              [room, user, added_seq](UserLane& users) { users.OnMember(user, room, added_seq); });
}

void RoomLanes::OnSubscribed(const storage::UserId& user, const std::shared_ptr<Attachment>& edge,
                             uint64_t connection) {
  PostToUsers(LaneOf(user), [user, edge, connection](UserLane& users) {
    users.OnSubscribed(user, edge, connection);
  });
}

void RoomLanes::OnRead(const storage::UserId& user, v1::Signal signal, Passed passed) {
  PostToUsers(LaneOf(user), [user, signal = std::move(signal), passed = std::move(passed)](
                                UserLane& users) { users.OnRead(user, signal, passed); });
}

void RoomLanes::OnDeleted(const storage::RoomId& room) {
  for (storage::UserId& user : presence_[LaneOf(room)]->Drop(room)) {
    const size_t lane = LaneOf(user);
    PostToUsers(lane,
                [room, user = std::move(user)](UserLane& users) { users.OnMember(user, room, 0); });
  }
}

// Whoever hears of it asks for the room behind this.
void RoomLanes::OnLogRewritten(const storage::RoomId& room) {
  Post(LaneOf(room), [room](RoomLane& rooms) { rooms.ForgetLog(room); });
}

// Each step answers into the next: commits and reads into lanes, which end last.
void RoomLanes::Stop() {
  commits_.Stop();
  readers_.Stop();
  activity_reader_.Stop();
  for (size_t i = 0; i < lanes_.size(); ++i) {
    Post(i, [](RoomLane& rooms) { rooms.Stop(); });
    PostToRooms(i, [](RoomPresence& rooms) { rooms.Stop(); });
    PostToUsers(i, [](UserLane& users) { users.Stop(); });
    PostNotifications(i, [](NotificationLane& notifications) { notifications.Stop(); });
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
