#include "control/dispatch/presence_calls.h"

#include <algorithm>

#include <absl/functional/any_invocable.h>

#include "control/dispatch/call_rules.h"
#include "control/dispatch/recorded_act.h"
#include "control/dispatch/room_lanes.h"
#include "control/dispatch/store_read.h"
#include "control/status_reason.h"

namespace confab::control {

using storage::RoomId;
using storage::UserId;

namespace {

// A question on its way through lanes. If one of them has ended it is answered as UNAVAILABLE.
template <typename Answer>
class Question {
 public:
  explicit Question(Callback<Answer> done) : done_(std::move(done)) {}
  ~Question() {
    if (done_) done_(NotServing());
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  void Reply() { std::exchange(done_, nullptr)(std::move(answer)); }
  void Refuse(const absl::Status& why) { std::exchange(done_, nullptr)(why); }

  Answer answer{};

 private:
  Callback<Answer> done_;
};

// Takes it through the lanes, one after the other: `ask(UserLane&, index, Answer&)`.
template <typename Answer, typename Ask>
void AskLanes(RoomLanes& lanes, size_t index, std::shared_ptr<Question<Answer>> question, Ask ask) {
  lanes.PostToUsers(index, [&lanes, index, question = std::move(question),
                            ask = std::move(ask)](UserLane& users) mutable {
    ask(users, index, question->answer);
    if (index + 1 == lanes.size()) return question->Reply();
    AskLanes(lanes, index + 1, std::move(question), std::move(ask));
  });
}

}  // namespace

void PresenceCalls::Get(std::vector<UserId> users, Callback<std::vector<UserLook>> done) {
  if (!dispatcher_.is_serving()) return done(NotServing());
  if (auto status = CheckUsers(users); !status.ok()) return done(status);
  auto question = std::make_shared<Question<std::vector<UserLook>>>(std::move(done));
  question->answer.resize(users.size());
  RoomLanes& lanes = dispatcher_.lanes();
  AskLanes(lanes, 0, std::move(question),
           [&lanes, users = std::move(users)](UserLane& lane, size_t index,
                                              std::vector<UserLook>& answer) {
             for (size_t i = 0; i < users.size(); ++i) {
               if (lanes.LaneOf(users[i]) != index) continue;
               answer[i] = {lane.Look(users[i]), lane.ConnectionsOf(users[i])};
             }
           });
}

void PresenceCalls::List(RoomId room, UserId asker, UserId after, size_t limit,
                         Callback<RoomLook> done) {
  auto question = std::make_shared<Question<RoomLook>>(std::move(done));
  dispatcher_.CountMembers(
      room, std::move(asker),
      // Not `this`: the answer comes from another thread, after the call.
      [&dispatcher = dispatcher_, room, after = std::move(after), limit,
       question](absl::StatusOr<int64_t> members) mutable {
        if (!members.ok()) return question->Refuse(members.status());
        question->answer.member_count = *members;
        RoomLanes& lanes = dispatcher.lanes();
        lanes.PostToRooms(lanes.LaneOf(room),
                          [room, after = std::move(after), limit, question](RoomPresence& rooms) {
                            RoomPresence::Page page = rooms.PageOf(room, after, limit);
                            question->answer.online = std::move(page.users);
                            question->answer.has_more = page.has_more;
                            question->answer.online_count = page.online_count;
                            question->Reply();
                          });
      });
}

void PresenceCalls::Watch(Target target, std::shared_ptr<PresenceSink> sink, Callback<bool> done) {
  if (!dispatcher_.is_serving()) return done(NotServing());
  if (!target.users.empty()) {
    if (auto status = CheckUsers(target.users); !status.ok()) return done(status);
  }
  auto question = std::make_shared<Question<bool>>(std::move(done));
  RoomLanes& lanes = dispatcher_.lanes();
  if (!target.room) {
    return AskLanes(lanes, 0, std::move(question),
                    [&lanes, is_all = target.users.empty(), users = std::move(target.users),
                     sink = std::move(sink)](UserLane& lane, size_t index, bool&) {
                      if (is_all) return lane.WatchAll(sink);
                      std::vector<UserId> own;
                      for (const UserId& user : users) {
                        if (lanes.LaneOf(user) == index) own.push_back(user);
                      }
                      lane.Watch(own, sink);
                    });
  }
  dispatcher_.CountMembers(*target.room, UserId(),
                           [&lanes, room = *target.room, sink = std::move(sink),
                            question](absl::StatusOr<int64_t> members) mutable {
                             if (!members.ok()) return question->Refuse(members.status());
                             lanes.PostToRooms(lanes.LaneOf(room), [room, sink = std::move(sink),
                                                                    question](RoomPresence& rooms) {
                               rooms.Watch(room, sink);
                               question->Reply();
                             });
                           });
}

void PresenceCalls::ListConnections(UserId user, UserId after, size_t limit,
                                    Callback<ConnectionsPage> done) {
  if (!dispatcher_.is_serving()) return done(NotServing());
  auto question = std::make_shared<Question<ConnectionsPage>>(std::move(done));
  RoomLanes& lanes = dispatcher_.lanes();
  if (!user.empty()) {
    const size_t lane = lanes.LaneOf(user);
    return lanes.PostToUsers(lane, [user = std::move(user), question](UserLane& users) {
      question->answer.users.push_back({users.Look(user), users.ConnectionsOf(user)});
      question->Reply();
    });
  }
  AskLanes(lanes, 0, std::move(question),
           [&lanes, after = std::move(after), limit](UserLane& lane, size_t index,
                                                     ConnectionsPage& page) {
             for (const UserId& one : lane.UsersWithConnections(after, limit + 1)) {
               page.users.push_back({lane.Look(one), lane.ConnectionsOf(one)});
             }
             if (index + 1 < lanes.size()) return;
             std::sort(
                 page.users.begin(), page.users.end(),
                 [](const UserLook& a, const UserLook& b) { return a.view.user < b.view.user; });
             page.has_more = page.users.size() > limit;
             if (page.has_more) page.users.resize(limit);
           });
}

void PresenceCalls::Kick(UserId user, std::optional<std::pair<std::string, uint64_t>> one,
                         const Asker& asker, Deadline deadline, Callback<size_t> done) {
  if (!dispatcher_.is_serving()) return done(NotServing());
  if (auto status = CheckUsers({user}); !status.ok()) return done(status);
  auto question = std::make_shared<Question<size_t>>(std::move(done));
  RoomLanes& lanes = dispatcher_.lanes();
  RecordAct(lanes, "connection.kick", asker, user, dispatcher_.DeadlineOf(deadline),
            [&lanes, user, one = std::move(one),
             question = std::move(question)](const absl::Status& recorded) {
              if (!recorded.ok()) return question->Refuse(recorded);
              lanes.PostToUsers(lanes.LaneOf(user), [user, one, question](UserLane& users) {
                question->answer = users.Kick(user, one);
                question->Reply();
              });
            });
}

}  // namespace confab::control
