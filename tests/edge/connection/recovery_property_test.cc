// Schedules of one client of a dialect with recovery: joins, leaves, live events and replays, slow
// reading, retention; then the connection is lost somewhere in what was sent to it. Whichever offset the
// client has then: either it is refused, or it leads to exactly what the client has of each room, which
// the next connection goes on with. CONFAB_TEST_SEED=n repeats a run.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "edge/connection/turn_queue.h"
#include "edge/hub/hub.h"
#include "edge/recovery/broadcast_ring.h"
#include "tests/edge/connection/connection_fixture.h"
#include "tests/edge/connection/small_control.h"

namespace confab::edge {
namespace {

constexpr int kSchedules = 200;
constexpr int kSteps = 600;

// The frame of an event is its room, its seq, and the number of its offset.
class StampedEncoder final : public EventEncoder {
 public:
  StampedEncoder(std::size_t index, const OffsetStamp& stamp)
      : EventEncoder(index), stamp_(stamp) {}
  SharedFrame Encode(const v1::Event& event, std::string_view,
                     std::string& scratch) const override {
    scratch = fmt::format("{} {} {}", event.room_id(), event.seq(), stamp_.number());
    return SharedFrame::Copy(scratch);
  }
  SharedFrame Encode(const v1::Signal&, std::string&) const override { return {}; }
  SharedFrame Encode(const v1::Notification&, std::string&) const override { return {}; }
  bool can_notify() const override { return false; }
  bool can_ack_inbox() const override { return false; }

 private:
  const OffsetStamp& stamp_;
};

// What happened on one connection, in order. Joins and leaves are the client's own doing.
struct Entry {
  enum class Kind { kJoined, kLeft, kEvent, kResync, kSignal };
  Kind kind = Kind::kSignal;
  std::string room;
  std::int64_t seq = 0;      // Of the event; of a join: what the client has.
  std::uint64_t number = 0;  // Of what was sent.
  bool is_sent() const { return kind != Kind::kJoined && kind != Kind::kLeft; }
};

class Schedule final : private ConnectionHost, private ClientWire, private Transport {
 public:
  explicit Schedule(unsigned seed) : random_(seed) { Connect(nullptr); }

  std::string Run() {
    for (int i = 0; i < kSteps && fault_.empty(); ++i) Step();
    connection_.reset();
    return fault_;
  }
  int recovered() const { return recovered_; }

 private:
  int Below(int limit) { return control_.Below(limit); }
  void Fault(std::string what) {
    if (fault_.empty()) fault_ = std::move(what);
  }

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
        if (std::exchange(wants_tick_, false)) connection_->OnTick();
        return CallTurns();
      case 8:
        room_for_ = Below(6);
        if (room_for_ > 0) connection_->OnDrained();
        return;
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
    connection_->Leave();
    hub_.Remove(*connection_);
    hub_.TakeEmptied();
    turns_.Forget(connection_->id());
    pending_.clear();
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
    connection_ = std::make_unique<Connection>(static_cast<ConnectionHost&>(*this),
                                               static_cast<ClientWire&>(*this),
                                               static_cast<Transport&>(*this), encoder_);
    connection_->MakeRecoverable(stamp_, "confab", "/", {});
    connection_->recovery()->BeginBehind(offset_);
    // Of another io thread, which has been told less.
    stamp_.Set(NumberOf(broadcasts_ - std::min<std::uint64_t>(broadcasts_, random_() % 6)));
    if (connection_->Authenticate(Token())) Fault("the token is refused");
    connection_->OnSession(session);
    resuming_.clear();
    if (session != nullptr) {
      for (const v1::LostRoom& room : session->rooms()) resuming_.insert(room.room_id());
    }
    connection_->Admit(++last_connection_, "c");
  }

  // --- the edge, as its distributor and its io thread do it

  void Hear() {
    if (control_.to_edge.empty()) return;
    const v1::ControlItem item = std::move(control_.to_edge.front());
    control_.to_edge.pop_front();
    if (item.has_subscribe()) {
      OnSubscribe(item.subscribe());
    } else if (item.has_unsubscribe()) {
      OnUnsubscribe(item.unsubscribe());
    } else if (item.has_broadcast()) {
      const std::string& topic = item.broadcast().topics(0);
      ++broadcasts_;
      if (hub_.Has(topic)) {
        stamp_.Set(NumberOf(broadcasts_));
        ring_.Add(broadcasts_, RoomOfTopic(topic), item.broadcast().event().event().seq());
      }
      hub_.Deliver(topic, 0, item.broadcast().event());
    } else if (const auto found = pending_.find(item.result().request()); found != pending_.end()) {
      const Pending done = std::move(found->second);
      pending_.erase(found);
      if (const auto turn = TurnQueue::KindOf(done.command)) {
        turns_.GiveBack(*turn, done.command.connection());
      }
      connection_->OnResult(done.command, done.reply_id, item.result());
    }
    CallTurns();
  }

  void OnSubscribe(const v1::Subscribe& subscribe) {
    if (subscribe.connection() != connection_->id()) return;
    const std::string room(RoomOfTopic(subscribe.topic()));
    if (!connection_->IsJoining(room) && !hub_.PositionOf(subscribe.topic(), *connection_)) return;
    const Hub::Joined joined =
        hub_.Subscribe(subscribe.topic(), *connection_, subscribe.from_seq());
    const auto since = connection_->OnSubscribed(room, joined.since, joined.is_new);
    if (since) hub_.Hold(subscribe.topic(), *connection_, *since);
    resuming_.erase(room);
    if (!joined.is_new) return;
    log_.push_back(
        {.kind = Entry::Kind::kJoined, .room = room, .seq = since.value_or(subscribe.from_seq())});
  }

  void OnUnsubscribe(const v1::Unsubscribe& unsubscribe) {
    if (unsubscribe.connection() != connection_->id()) return;
    const std::string room = RoomOfTopic(unsubscribe.topic());
    hub_.Unsubscribe(unsubscribe.topic(), *connection_);
    connection_->OnUnsubscribed(room, unsubscribe.end_seq());
    log_.push_back({.kind = Entry::Kind::kLeft, .room = room});
  }

  void CallTurns() {
    while (const auto called = turns_.Call()) {
      if (*called == connection_->id()) connection_->Replay();
    }
    hub_.TakeEmptied();
  }

  // --- what the connection asks of its thread

  const ConnectionLimits& limits() const override { return limits_; }
  const TokenVerifier& tokens() const override { return verifier_; }
  void Enter(Connection& connection) override {
    connection.OnEntered(last_connection_ + 1, nullptr);
  }
  void Leave(Connection&) override {}
  void OnMoved(Connection&) override {}
  bool Forward(v1::Command&& command, std::optional<std::uint64_t> reply_id) override {
    const std::optional<TurnQueue::Kind> turn = TurnQueue::KindOf(command);
    if (turn && !turns_.Take(*turn, command.connection())) return false;
    command.set_request(++last_request_);
    control_.to_control.push_back(command);
    pending_[last_request_] = {std::move(command), reply_id};
    return true;
  }
  std::optional<std::int64_t> PositionOf(const Connection& connection,
                                         std::string_view room) override {
    return hub_.PositionOf(TopicOfRoom(room), connection);
  }
  void GoLive(Connection& connection, std::string_view room, std::int64_t after_seq) override {
    hub_.GoLive(TopicOfRoom(room), connection, after_seq);
  }
  std::optional<std::int64_t> Hold(Connection&, std::string_view) override { return {}; }
  std::vector<std::string> RoomsOf(const Connection&) override { return {}; }
  void Unsubscribe(Connection& connection, std::string_view room) override {
    hub_.Unsubscribe(TopicOfRoom(room), connection);
  }
  void ReplayLater(Connection&, std::chrono::milliseconds) override { wants_tick_ = true; }
  void CountRefusal(v1::Reason) override {}
  void CountDropped(const PushQueue::Dropped&) override {}

  bool Send(const SharedFrame& frame, DeliveryClass) override {
    const std::string text(frame.bytes());
    const std::size_t space = text.find(' ');
    const std::size_t second = text.find(' ', space + 1);
    log_.push_back({.kind = Entry::Kind::kEvent,
                    .room = text.substr(0, space),
                    .seq = std::stoll(text.substr(space + 1)),
                    .number = std::stoull(text.substr(second + 1))});
    room_for_ -= room_for_ > 0 ? 1 : 0;
    return true;
  }
  void SendBytes(std::string_view, DeliveryClass) override {}
  void Close(CloseReason) override { Fault("closed"); }
  bool HasRoom() override { return room_for_ > 0; }
  bool HasRoomBelow(std::size_t) override { return room_for_ > 0; }

  // --- what the client is told beside events

  void SayConnected(std::string_view, const v1::User&) override {}
  void SayResult(const v1::Command& command, std::optional<std::uint64_t> reply_id,
                 const v1::Result& result) override {
    if (result.has_error()) return SayRefusal(command, reply_id, result.error());
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
  void Shut(CloseReason) override { Fault("shut"); }

  struct Pending {
    v1::Command command;
    std::optional<std::uint64_t> reply_id;
  };

  std::mt19937 random_;
  SmallControl control_{random_};
  std::string fault_;
  int recovered_ = 0;
  ConnectionLimits limits_;
  TokenVerifier verifier_{process::JwtKeySet(*process::JwtKey::FromSecret(std::string(32, 's')))};
  const std::string beginning_ = "e.1.";
  OffsetStamp stamp_{beginning_};
  StampedEncoder encoder_{0, stamp_};
  BroadcastRing ring_{64};
  Hub hub_{1};
  TurnQueue turns_;
  std::uint64_t broadcasts_ = 0;
  std::unique_ptr<Connection> connection_;
  std::uint64_t last_connection_ = 0;

  std::vector<Entry> log_;    // Of this connection.
  std::uint64_t offset_ = 0;  // Of the client, over all of its connections.
  std::map<std::uint64_t, Pending> pending_;
  std::set<std::string> is_leaving_;
  std::set<std::string> resuming_;  // Rooms of the session that it is not in again yet.
  std::uint64_t last_request_ = 0;
  int room_for_ = 100;
  bool wants_tick_ = false;
};

TEST(RecoveryProperty, AnOffsetLeadsToWhatItsClientHasOrIsRefused) {
  const char* given = std::getenv("CONFAB_TEST_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                                         : std::random_device()();
  std::printf("seed %u\n", seed);
  const int count = given != nullptr ? 1 : kSchedules;
  int recovered = 0;
  for (int i = 0; i < count; ++i) {
    const unsigned mine = seed + static_cast<unsigned>(i);
    Schedule schedule(mine);
    ASSERT_EQ(schedule.Run(), "") << "CONFAB_TEST_SEED=" << mine;
    recovered += schedule.recovered();
  }
  EXPECT_GT(recovered, count / 2) << "hardly any offset is accepted: this shows little";
}

}  // namespace
}  // namespace confab::edge
