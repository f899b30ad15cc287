// Schedules of one client: joins, leaves, resumes, lost connections and lost answers, slow reading,
// retention, between a connection with its hub and a small control whose rooms answer when they like.
// However it goes, the client gets each event of a room once and in order behind what it has, or is
// told RESYNC, and at the end it has everything. CONFAB_TEST_SEED=n repeats a run.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/edge/connection/connection_fixture.h"
#include "tests/edge/connection/property_bed.h"

namespace confab::edge {
namespace {

constexpr int kSchedules = 300;
constexpr int kSteps = 400;
constexpr std::uint64_t kResumeReply = 1'000'000;  // And above: the answers of resumes.

// What the client knows, and holds against what it is told.
struct ClientRoom {
  enum class State { kOut, kAsking, kIn, kLeaving };
  State state = State::kOut;
  std::optional<std::int64_t> has;  // Up to there it has everything.
  bool is_guess = false;            // It says more than it has.
};

class Schedule final : private PropertyBed {
 public:
  explicit Schedule(unsigned seed) : PropertyBed(seed) {
    for (const auto& [name, room] : control_.rooms) client_[name];
    // One turn of each kind, or all.
    if (Below(2) == 0) turns_.SetThreads(TurnQueue::kThreadsWithAll * TurnQueue::kJoinsLimit);
    Connect({}, std::nullopt);
  }

  // What went wrong; empty: nothing.
  std::string Run() {
    for (int i = 0; i < kSteps && fault_.empty(); ++i) Step();
    Settle();
    if (fault_.empty()) CheckEnd();
    connection_.reset();
    return fault_;
  }

 private:
  using State = ClientRoom::State;

  // --- what happens

  void Step() {
    switch (Below(12)) {
      case 0:
      case 1:
      case 2:
        return control_.Work();
      case 3:
      case 4:
      case 5:
        return Hear();
      case 6:
        return control_.Post();
      case 7:
        return Below(3) == 0 ? Lose() : Tick();
      case 8:
        return ReadSome();
      case 9:
        if (Below(8) == 0) control_.Trim();
        if (Below(12) == 0) Reconnect();
        return;
      default:
        return Act();
    }
  }

  void Act() {
    const std::string name = control_.AnyRoom();
    ClientRoom& room = client_[name];
    if (Below(4) == 0) return ResumeSome();
    if (room.state == State::kIn && Below(2) == 0) return LeaveOne(name);
    if (room.state == State::kLeaving && leaves_[name] == 0) return LeaveOne(name);
    if (room.state == State::kOut) return JoinOne(name);
    // It changes its mind about what is being resumed.
    if (room.state != State::kAsking || room.is_guess || !resuming_.contains(name)) return;
    if (Below(4) == 0) return LeaveOne(name);
  }

  void JoinOne(const std::string& name) {
    ClientRoom& room = client_[name];
    room.state = State::kAsking;
    if (Below(5) == 0 || room.is_guess) {
      room.has.reset();
      room.is_guess = false;
    }
    joins_[++last_reply_] = name;
    connection_->Ask(Join(name, room.has), last_reply_);
  }

  void LeaveOne(const std::string& name) {
    client_[name].state = State::kLeaving;
    resuming_.erase(name);
    ++leaves_[name];
    v1::Command leave;
    leave.mutable_leave_room()->set_room_id(name);
    connection_->Ask(std::move(leave), ++last_reply_);
  }

  // Of those that the client is not in, some with nothing and some with too much.
  void ResumeSome() {
    v1::Command command;
    auto& wanted = *command.mutable_resume()->mutable_rooms();
    if (is_resuming_) {
      last_refusal_ = v1::REASON_UNSPECIFIED;
      connection_->Ask(std::move(command), kResumeReply);
      if (last_refusal_ != v1::REASON_BAD_REQUEST) Fault("a second resume is not refused");
      return;
    }
    for (auto& [name, room] : client_) {
      if (room.state != State::kOut || Below(2) == 0) continue;
      if (!room.has) room.has = 0;
      if (Below(20) == 0) {
        room.has = control_.rooms[name].last + 5;
        room.is_guess = true;
      }
      room.state = State::kAsking;
      wanted[name] = *room.has;
      resuming_.insert(name);
    }
    is_resuming_ = true;
    connection_->Ask(std::move(command),
                     Below(2) == 0 ? std::optional(kResumeReply + 1) : std::nullopt);
  }

  // The connection is lost, and another resumes what the client was in.
  void Reconnect() {
    DropConnection();
    resuming_.clear();
    is_resuming_ = false;
    joins_.clear();
    leaves_.clear();
    v1::Resume resume;
    for (auto& [name, room] : client_) {
      const bool was_in = room.state == State::kIn || room.state == State::kAsking;
      room.state = was_in && room.has ? State::kAsking : State::kOut;
      if (room.state != State::kAsking) continue;
      (*resume.mutable_rooms())[name] = *room.has;
      resuming_.insert(name);
    }
    is_resuming_ = resume.rooms_size() > 0;
    const bool wants_reply = Below(2) == 0;
    Connect(std::move(resume), wants_reply ? std::optional(kResumeReply + 1) : std::nullopt);
  }

  void Connect(v1::Resume&& resume, std::optional<std::uint64_t> reply_id) {
    MakeConnection();
    if (resume.rooms_size() > 0) connection_->ResumeOnConnect(std::move(resume), reply_id);
    Authenticate();
    connection_->Admit(++last_connection_, "c");
  }

  // No answer came in time: of what was done, or of what will not be done.
  void Lose() {
    if (pending_.empty()) return;
    auto chosen = pending_.begin();
    std::advance(chosen, Below(static_cast<int>(pending_.size())));
    const std::uint64_t request = chosen->first;
    std::erase_if(control_.to_control, [&](const v1::Command& waiting) {
      return waiting.request() == request && Below(2) == 0;
    });
    const std::optional<Pending> lost = Take(request);
    connection_->OnExpired(lost->command, lost->reply_id,
                           MakeError(v1::REASON_UNAVAILABLE, "no answer"));
    CallTurns();
  }

  // --- what the client is told

  void OnEvent(const std::string& name, std::int64_t seq, std::uint64_t) override {
    ClientRoom& room = client_[name];
    if (room.state == State::kOut)
      return Fault(fmt::format("{} {} of a room it is not in", name, seq));
    if (room.has && seq != *room.has + 1) {
      return Fault(fmt::format("{} {} behind {}", name, seq, *room.has));
    }
    room.has = seq;
  }

  void OnDone(const v1::Command& command, std::optional<std::uint64_t> reply_id,
              const v1::Result& result) override {
    if (command.has_join_room()) {
      OnJoined(command.join_room(), reply_id, result.join_room().last_seq());
    } else if (command.has_leave_room()) {
      const std::string& name = command.leave_room().room_id();
      if (--leaves_[name] == 0) client_[name].state = State::kOut;
    } else if (command.has_resume()) {
      for (const v1::ResumedRoom& room : result.resume().rooms()) {
        if (!room.has_error() || !reply_id || !resuming_.contains(room.room_id())) continue;
        if (client_[room.room_id()].state == State::kAsking) {
          NotJoined(room.room_id(), room.error().reason());
        }
      }
      resuming_.clear();
      is_resuming_ = false;
    }
  }
  void OnJoined(const v1::JoinRoom& join, std::optional<std::uint64_t> reply_id,
                std::int64_t last_seq) {
    ClientRoom& room = client_[join.room_id()];
    if (reply_id) joins_.erase(*reply_id);
    if (room.state != State::kAsking) return;
    room.state = State::kIn;
    if (!room.has) room.has = last_seq;
  }
  void SayRefusal(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                  const v1::Error& error) override {
    last_refusal_ = error.reason();
    if (command.has_leave_room()) {
      --leaves_[command.leave_room().room_id()];
    } else if (command.has_join_room()) {
      if (!reply_id || joins_.erase(*reply_id) > 0) {
        NotJoined(command.join_room().room_id(), error.reason());
      }
    }
  }
  bool SayResync(std::string_view name) override {
    NotJoined(std::string(name), v1::REASON_RESYNC);
    return true;
  }

  void NotJoined(const std::string& name, v1::Reason reason) {
    ClientRoom& room = client_[name];
    const SmallControl::Room& known = control_.rooms[name];
    if (room.state == State::kLeaving) return;
    room.state = State::kOut;
    if (reason == v1::REASON_RESYNC) {
      if (room.has && !room.is_guess && *room.has <= known.last && known.first <= *room.has + 1) {
        Fault(fmt::format("RESYNC of {} behind {}, where {} to {} are there", name, *room.has,
                          known.first, known.last));
      }
      room.has.reset();
      room.is_guess = false;
    } else if (reason == v1::REASON_NOT_A_MEMBER && known.is_member) {
      Fault(fmt::format("no member of {}", name));
    }
  }

  // --- the end

  // Everything is answered and read; leaves that came to nothing are said again.
  void Settle() {
    control_.is_helpful = true;
    room_for_ = 100;
    connection_->OnDrained();
    for (int i = 0; i < 10'000 && fault_.empty() && !IsSettled(); ++i) {
      for (auto& [name, room] : client_) {
        if (room.state == State::kLeaving && leaves_[name] == 0) LeaveOne(name);
      }
      control_.Work();
      Hear();
      Tick();
      room_for_ = 100;
      connection_->OnDrained();
    }
    if (!IsSettled()) Fault("it does not come to rest");
  }

  bool IsSettled() const {
    if (!control_.to_control.empty() || !control_.to_edge.empty() || !pending_.empty() ||
        wants_tick_)
      return false;
    if (is_resuming_) return false;
    return std::none_of(client_.begin(), client_.end(), [](const auto& entry) {
      return entry.second.state == State::kLeaving || entry.second.state == State::kAsking;
    });
  }

  void CheckEnd() {
    if (is_resuming_) Fault("a resume has no answer");
    for (const auto& [name, room] : client_) {
      const std::int64_t last = control_.rooms[name].last;
      const bool is_subscriber = hub_.PositionOf(TopicOfRoom(name), *connection_).has_value();
      if (is_subscriber != (room.state == State::kIn)) {
        Fault(fmt::format("{}: the hub {} it as a subscriber", name,
                          is_subscriber ? "has" : "lacks"));
      }
      if (room.state == State::kIn && room.has != last) {
        Fault(fmt::format("{} up to {} of {}", name, room.has.value_or(-1), last));
      }
    }
    for (const auto kind : {TurnQueue::Kind::kJoin, TurnQueue::Kind::kPage}) {
      if (turns_.taken(kind) != 0) Fault("a turn was not given back");
    }
  }

  std::map<std::string, ClientRoom> client_;
  std::uint64_t last_reply_ = 0;
  std::map<std::uint64_t, std::string> joins_;  // That decide what the client is in.
  std::map<std::string, int> leaves_;           // Under way.
  std::set<std::string> resuming_;              // By the resume under way, and not left since.
  bool is_resuming_ = false;
  v1::Reason last_refusal_ = v1::REASON_UNSPECIFIED;
};

TEST(ResumeProperty, EachEventComesOnceInOrderOrAResync) {
  const Seeds seeds = SeedsOf(kSchedules);
  for (int i = 0; i < seeds.count; ++i) {
    const unsigned mine = seeds.first + static_cast<unsigned>(i);
    ASSERT_EQ(Schedule(mine).Run(), "") << "CONFAB_TEST_SEED=" << mine;
  }
}

}  // namespace
}  // namespace confab::edge
