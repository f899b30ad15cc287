// Schedules of one client of a dialect with recovery: joins, leaves, live events and replays, slow
// reading, retention; then the connection is lost somewhere in what was sent to it. Whichever offset the
// client has then: either it is refused, or it leads to exactly what the client has of each room, which
// the next connection goes on with. CONFAB_TEST_SEED=n repeats a run.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "edge/recovery/broadcast_ring.h"
#include "tests/edge/connection/connection_fixture.h"
#include "tests/edge/connection/property_bed.h"

namespace confab::edge {
namespace {

constexpr int kSchedules = 200;
constexpr int kSteps = 600;

// What happened on one connection, in order. Joins and leaves are the client's own doing.
struct Entry {
  enum class Kind { kJoined, kLeft, kEvent, kResync, kSignal };
  Kind kind = Kind::kSignal;
  std::string room;
  std::int64_t seq = 0;      // Of the event; of a join: what the client has.
  std::uint64_t number = 0;  // Of what was sent.
  bool is_sent() const { return kind != Kind::kJoined && kind != Kind::kLeft; }
};

class Schedule final : private PropertyBed {
 public:
  explicit Schedule(unsigned seed) : PropertyBed(seed) { Connect(nullptr); }

  std::string Run() {
    for (int i = 0; i < kSteps && fault_.empty(); ++i) Step();
    connection_.reset();
    return fault_;
  }
  int recovered() const { return recovered_; }

 private:
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
        return Tick();
      case 8:
        return ReadSome();
      case 9:
        if (Below(8) == 0) control_.Trim();
        if (Below(5) == 0) Lose();
        return;
      case 10:
        return Signal();
      default:
        return Act();
    }
  }

  // Joins a room it is not in, with or without a position, or leaves one.
  void Act() {
    const std::string name = control_.AnyRoom();
    if (connection_->IsJoining(name) || is_leaving_.contains(name)) return;
    if (resuming_.contains(name)) return;
    if (hub_.PositionOf(TopicOfRoom(name), *connection_)) {
      if (Below(4) > 0) return;
      v1::Command leave;
      leave.mutable_leave_room()->set_room_id(name);
      is_leaving_.insert(name);
      return connection_->Ask(std::move(leave), 1);
    }
    const std::int64_t last = control_.rooms[name].last;
    const bool has_position = Below(2) == 0 && last > 0;
    connection_->Ask(
        Join(name, has_position ? std::optional<std::int64_t>(Below(static_cast<int>(last)))
                                : std::nullopt),
        1);
  }

  // To this client alone, among others: nothing of a log.
  void Signal() {
    stamp_.Set(NumberOf(++broadcasts_));
    log_.push_back({.kind = Entry::Kind::kSignal, .room = {}, .number = stamp_.number()});
  }

  // --- the end of a connection

  void Lose() {
    std::vector<LostSession::Room> rooms;
    for (const Hub::Standing& standing : Hub::StandingOf(*connection_)) {
      rooms.push_back({.id = RoomOfTopic(std::string(standing.topic)),
                       .since = std::max(standing.since, standing.after_seq),
                       .position = standing.position});
    }
    const GoodOffsets offsets = connection_->recovery()->offsets(connection_->is_owed());
    const std::map<std::string, std::int64_t> has = Received();
    const std::uint64_t n = BroadcastsOf(offset_);
    v1::LostSession session;
    const bool is_good = offsets.Has(offset_) && ring_.ReachesBackTo(n);
    if (is_good) {
      Locate(rooms, n, session);
      Compare(session, has);
    }
    if (is_good) ++recovered_;
    DropConnection();
    is_leaving_.clear();
    log_.clear();
    Connect(is_good ? &session : nullptr);
  }

  void Locate(const std::vector<LostSession::Room>& rooms, std::uint64_t n,
              v1::LostSession& session) const {
    session.set_pid(connection_->recovery()->PidText());
    for (const LostSession::Room& room : rooms) {
      v1::LostRoom& told = *session.add_rooms();
      told.set_room_id(room.id);
      const std::int64_t first =
          offset_ == 0 ? 0 : ring_.FirstBehind(room.id, n).value_or(INT64_MAX);
      told.set_after_seq(room.Before(first));
    }
  }

  // What the client has of its rooms when only a part of what was sent has reached it. Its offset is
  // the last one that did.
  std::map<std::string, std::int64_t> Received() {
    int sent = 0;
    for (const Entry& entry : log_) sent += entry.is_sent() ? 1 : 0;
    int left = Below(3) == 0 ? Below(sent + 1) : sent - Below(std::min(sent, 3) + 1);
    std::map<std::string, std::int64_t> has;
    for (const Entry& entry : log_) {
      if (entry.is_sent()) {
        if (left-- <= 0) continue;
        offset_ = entry.number;
      }
      if (entry.kind == Entry::Kind::kJoined) has[entry.room] = entry.seq;
      if (entry.kind == Entry::Kind::kLeft || entry.kind == Entry::Kind::kResync) {
        has.erase(entry.room);
      }
      const auto room = has.find(entry.room);
      if (entry.kind != Entry::Kind::kEvent || room == has.end()) continue;
      if (entry.seq != room->second + 1) {
        Fault(fmt::format("{} {} behind {}", entry.room, entry.seq, room->second));
      }
      room->second = entry.seq;
    }
    return has;
  }

  void Compare(const v1::LostSession& session, const std::map<std::string, std::int64_t>& has) {
    if (static_cast<std::size_t>(session.rooms_size()) != has.size()) {
      return Fault(fmt::format("{} rooms of {}", session.rooms_size(), has.size()));
    }
    for (const v1::LostRoom& room : session.rooms()) {
      const auto found = has.find(room.room_id());
      if (found == has.end()) return Fault(room.room_id() + " is not the client's");
      if (found->second == room.after_seq()) continue;
      return Fault(fmt::format("{} behind {}, the client has {}", room.room_id(), room.after_seq(),
                               found->second));
    }
  }

  void Connect(const v1::LostSession* session) {
    MakeConnection();
    connection_->MakeRecoverable(stamp_, "confab", "/", {});
    connection_->recovery()->BeginBehind(offset_);
    // Of another io thread, which has been told less.
    stamp_.Set(NumberOf(broadcasts_ - std::min<std::uint64_t>(broadcasts_, random_() % 6)));
    Authenticate();
    connection_->OnSession(session);
    resuming_.clear();
    if (session != nullptr) {
      for (const v1::LostRoom& room : session->rooms()) resuming_.insert(room.room_id());
    }
    connection_->Admit(++last_connection_, "c");
  }

  // --- what the edge does and the client is told

  void OnBroadcast(const std::string& topic, std::int64_t seq) override {
    ++broadcasts_;
    if (!hub_.Has(topic)) return;
    stamp_.Set(NumberOf(broadcasts_));
    ring_.Add(broadcasts_, RoomOfTopic(topic), seq);
  }
  void OnSubscribed(const std::string& room, std::int64_t has, bool is_new) override {
    resuming_.erase(room);
    if (is_new) log_.push_back({.kind = Entry::Kind::kJoined, .room = room, .seq = has});
  }
  void OnUnsubscribed(const std::string& room) override {
    log_.push_back({.kind = Entry::Kind::kLeft, .room = room});
  }
  void OnEvent(const std::string& room, std::int64_t seq, std::uint64_t number) override {
    log_.push_back({.kind = Entry::Kind::kEvent, .room = room, .seq = seq, .number = number});
  }
  void OnDone(const v1::Command& command, std::optional<std::uint64_t>,
              const v1::Result&) override {
    if (command.has_leave_room()) is_leaving_.erase(command.leave_room().room_id());
  }
  void SayRefusal(const v1::Command& command, std::optional<std::uint64_t>,
                  const v1::Error& error) override {
    if (command.has_leave_room()) is_leaving_.erase(command.leave_room().room_id());
    if (error.reason() == v1::REASON_RATE_LIMITED) Fault("a rate is limited");
  }
  bool SayResync(std::string_view room) override {
    Recoverable::Alone alone(connection_->recovery());
    log_.push_back(
        {.kind = Entry::Kind::kResync, .room = std::string(room), .number = stamp_.number()});
    alone.OnSent();
    return true;
  }

  int recovered_ = 0;
  BroadcastRing ring_{64};
  std::uint64_t broadcasts_ = 0;
  std::vector<Entry> log_;    // Of this connection.
  std::uint64_t offset_ = 0;  // Of the client, over all of its connections.
  std::set<std::string> is_leaving_;
  std::set<std::string> resuming_;  // Rooms of the session that it is not in again yet.
};

TEST(RecoveryProperty, AnOffsetLeadsToWhatItsClientHasOrIsRefused) {
  const Seeds seeds = SeedsOf(kSchedules);
  int recovered = 0;
  for (int i = 0; i < seeds.count; ++i) {
    const unsigned mine = seeds.first + static_cast<unsigned>(i);
    Schedule schedule(mine);
    ASSERT_EQ(schedule.Run(), "") << "CONFAB_TEST_SEED=" << mine;
    recovered += schedule.recovered();
  }
  EXPECT_GT(recovered, seeds.count / 2) << "hardly any offset is accepted: this shows little";
}

}  // namespace
}  // namespace confab::edge
