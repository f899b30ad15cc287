// Outbox, replay and live events of slow readers in random order: two connections on one transport, in
// the same rooms. However frames are dropped, pages come late, members go and come back and the
// transport changes, each client gets every event of its subscriptions once and in order, and nothing
// behind the event that ended one. Run with CONFAB_TEST_SEED=n to repeat a run.
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "edge/hub/hub.h"
#include "edge/transport/event_loop.h"
#include "edge/transport/send_queue.h"
#include "tests/edge/connection/connection_fixture.h"

namespace confab::edge {
namespace {

constexpr int kConnections = 2;
constexpr int kRooms = 3;
constexpr int kSteps = 400;
constexpr int kRuns = 150;

std::string NameOf(int room) { return fmt::format("r{}", room); }
std::string TopicOf(const std::string& room) { return "room:" + room; }

// "e <connection> <room> <seq> ...\n"; of changing length.
class LineEncoder final : public EventEncoder {
 public:
  using EventEncoder::EventEncoder;
  SharedFrame Encode(const v1::Event& event, std::string_view,
                     std::string& scratch) const override {
    scratch = fmt::format("e {} {} {} ", index(), event.room_id(), event.seq());
    scratch.append(static_cast<std::size_t>(event.seq() * 37 % 300), '.');
    scratch += '\n';
    return SharedFrame::Copy(scratch);
  }
  SharedFrame Encode(const v1::Signal& signal, std::string& scratch) const override {
    scratch = fmt::format("s {} {}\n", index(), signal.read_pointer().seq());
    return SharedFrame::Copy(scratch);
  }
  SharedFrame Encode(const v1::Notification&, std::string&) const override { return {}; }
  bool can_notify() const override { return false; }
  bool can_ack_inbox() const override { return false; }
};

class NoSessions final : public SessionFactory {
 public:
  std::unique_ptr<Session> OpenSession(OpenRequest, Transport&) override { return nullptr; }
};

// A transport as far as its queue goes.
class QueueTransport final : public Transport, private Backlog::Reader {
 public:
  explicit QueueTransport(TransportHome& home)
      : queue(static_cast<Backlog::Reader&>(*this), home) {}

  bool Send(const SharedFrame& frame, DeliveryClass delivery) override {
    const SendQueue::Taken taken = queue.Append(frame, delivery);
    EXPECT_NE(taken, SendQueue::Taken::kTooMuch);
    return taken != SendQueue::Taken::kPassed;
  }
  void SendBytes(std::string_view frame, DeliveryClass delivery) override {
    Send(SharedFrame::Copy(frame), delivery);
  }
  void Close(CloseReason) override { ADD_FAILURE() << "closed"; }
  bool HasRoom() override { return queue.HasRoom(); }
  bool HasRoomBelow(std::size_t bytes) override { return queue.HasRoomBelow(bytes); }

  SendQueue queue;

 private:
  void OnStalled() override { ADD_FAILURE() << "stalled"; }
};

// What the client of one connection knows of one room.
struct ClientRoom {
  bool is_subscribed = false;    // By what it was answered last.
  int leaves = 0;                // Asked and not answered: what comes meanwhile is passed over.
  std::int64_t last = 0;         // Event it got last.
  std::int64_t end = INT64_MAX;  // The event that ended its membership, once control has said so.
};

class Schedule final : public ConnectionHost {
 public:
  explicit Schedule(unsigned seed) : random_(seed) {
    home_.limits.outbox_bytes = 2'000;
    home_.limits.stall_time = absl::ZeroDuration();
    transport_ = std::make_unique<QueueTransport>(home_);
    for (int i = 0; i < kConnections; ++i) {
      Peer& peer = peers_.emplace_back(*this, i);
      EXPECT_FALSE(peer.connection->Authenticate(Token()));
      peer.connection->Admit(static_cast<std::uint64_t>(i + 1), "name");
    }
  }

  // "": everybody has everything.
  std::string Run() {
    for (int i = 0; i < kSteps && failure_.empty(); ++i) Step();
    for (int i = 0; i < 10'000 && failure_.empty() && !IsQuiet(); ++i) {
      AnswerOne(false);
      DeliverAnswer();
      Flush();
      Take(1'000);
      TellTick();
    }
    for (Peer& peer : peers_) CheckEnd(peer);
    return failure_;
  }

  // ConnectionHost.
  const ConnectionLimits& limits() const override { return fake_.limits(); }
  const TokenVerifier& tokens() const override { return fake_.tokens(); }
  void Enter(Connection& connection) override { connection.OnEntered(0, nullptr); }
  void Leave(Connection&) override {}
  void OnMoved(Connection& connection) override { hub_.OnMoved(connection); }
  bool Forward(v1::Command&& command, std::optional<std::uint64_t> reply_id) override {
    asked_.emplace_back(std::move(command), reply_id);
    return true;
  }
  std::optional<std::int64_t> PositionOf(const Connection& connection,
                                         std::string_view room) override {
    return hub_.PositionOf(TopicOf(std::string(room)), connection);
  }
  void GoLive(Connection& connection, std::string_view room, std::int64_t after_seq) override {
    hub_.GoLive(TopicOf(std::string(room)), connection, after_seq);
  }
  std::optional<std::int64_t> Hold(Connection& connection, std::string_view room) override {
    return hub_.Hold(TopicOf(std::string(room)), connection);
  }
  std::vector<std::string> RoomsOf(const Connection& connection) override {
    std::vector<std::string> rooms;
    for (const std::string& topic : Hub::TopicsOf(connection)) rooms.push_back(topic.substr(5));
    return rooms;
  }
  void Unsubscribe(Connection&, std::string_view room) override {
    Fail(fmt::format("unsubscribed from {}", room));
  }
  void ReplayLater(Connection&, std::chrono::milliseconds) override { is_tick_wanted_ = true; }
  void CountRefusal(v1::Reason) override {}
  void CountDropped(const PushQueue::Dropped&) override {}

 private:
  // What control tells the client goes the way of all control frames.
  struct Wire final : ClientWire {
    Wire(Schedule& schedule, int index) : owner(schedule), place(index) {}
    void SayConnected(std::string_view, const v1::User&) override {}
    void SayResult(const v1::Command& command, std::optional<std::uint64_t>,
                   const v1::Result& result) override {
      if (result.has_leave_room()) {
        return owner.transport_->SendBytes(
            fmt::format("l {} {} 0\n", place, command.leave_room().room_id()),
            DeliveryClass::kControl);
      }
      owner.transport_->SendBytes(
          fmt::format("j {} {} {}\n", place, command.join_room().room_id(),
                      command.join_room().has_after_seq() ? command.join_room().after_seq()
                                                          : result.join_room().last_seq()),
          DeliveryClass::kControl);
    }
    void SayRefusal(const v1::Command&, std::optional<std::uint64_t>, const v1::Error& e) override {
      owner.Fail("refused: " + e.message());
    }
    void Shut(CloseReason) override { owner.Fail("shut"); }

    Schedule& owner;
    const int place;
  };
  struct Peer {
    Peer(Schedule& schedule, int index)
        : place(index),
          encoder(static_cast<std::size_t>(index)),
          wire(std::make_unique<Wire>(schedule, index)),
          connection(std::make_unique<Connection>(schedule, *wire, *schedule.transport_, encoder)) {
    }

    const int place;
    LineEncoder encoder;
    std::unique_ptr<Wire> wire;
    std::unique_ptr<Connection> connection;
    std::map<std::string, ClientRoom> rooms;
    std::map<std::string, bool> is_busy;    // A join or leave is under way.
    std::map<std::string, bool> is_member;  // And subscribed, by what control knows.
    std::int64_t last_signal = 0;
  };
  struct Answer {
    v1::Command command;
    std::optional<std::uint64_t> reply_id;
    v1::Result result;
    bool is_expired = false;
  };

  int Pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  void Fail(std::string why) {
    if (failure_.empty()) failure_ = std::move(why);
  }

  void Step() {
    switch (Pick(12)) {
      case 0:
      case 1:
      case 2:
        for (int i = Pick(8); i >= 0; --i) {
          const std::string room = NameOf(Pick(kRooms));
          Pick(3) == 0 ? PublishRun(room) : Publish(room);
        }
        return;
      case 3:
        return Flush();
      case 4:
        Flush();
        return Take(static_cast<std::size_t>(Pick(600)));
      case 5:
      case 6:
        return AnswerOne(Pick(6) == 0);
      case 7:
      case 8:
        return DeliverAnswer();
      case 9:
        return ChangeMembership(peers_[static_cast<std::size_t>(Pick(kConnections))],
                                NameOf(Pick(kRooms)));
      case 10:
        TellTick();
        return Signal();
      case 11:
        if (Pick(4) == 0) return Move();
        if (Pick(4) == 0) return transport_->queue.Degrade();
        return;
    }
  }

  void Publish(const std::string& room) {
    v1::RoomEvent event;
    event.mutable_event()->set_room_id(room);
    event.mutable_event()->set_seq(++logs_[room]);
    hub_.Deliver(TopicOf(room), 0, event);
  }

  // Several at once, as one batch of control has them.
  void PublishRun(const std::string& room) {
    const std::string topic = TopicOf(room);
    std::vector<v1::RoomEvent> told(static_cast<std::size_t>(2 + Pick(5)));
    EventRun run;
    run.topic = topic;
    for (v1::RoomEvent& event : told) {
      event.mutable_event()->set_room_id(room);
      event.mutable_event()->set_seq(++logs_[room]);
      run.events.push_back({.event = &event});
    }
    if (Pick(4) == 0) run.apart.push_back(transport_.get());
    if (Pick(2) == 0) run.frame_bytes_limit = 500;
    hub_.Deliver(run);
    for (std::size_t i = 0; i < told.size(); ++i) hub_.DeliverApart(run, i);
  }

  void Signal() {
    v1::Signal signal;
    signal.mutable_read_pointer()->set_room_id("r0");
    signal.mutable_read_pointer()->set_user_id("u");
    signal.mutable_read_pointer()->set_seq(++signals_);
    std::vector<Connection*> audience;
    for (Peer& peer : peers_) audience.push_back(peer.connection.get());
    hub_.Deliver(audience, 0, signal);
  }

  void ChangeMembership(Peer& peer, const std::string& room) {
    if (peer.is_busy[room]) return;
    ClientRoom& known = peer.rooms[room];
    if (!peer.is_member[room]) {
      v1::Command join;
      join.mutable_join_room()->set_room_id(room);
      if (Pick(3) > 0) join.mutable_join_room()->set_after_seq(known.last);
      peer.is_busy[room] = true;
      return peer.connection->Ask(std::move(join), 1);
    }
    if (Pick(2) == 0) {  // It leaves.
      v1::Command leave;
      leave.mutable_leave_room()->set_room_id(room);
      ++known.leaves;
      peer.is_busy[room] = true;
      return peer.connection->Ask(std::move(leave), 2);
    }
    // It is banned: the event, then the end.
    Publish(room);
    known.end = logs_[room];
    peer.is_member[room] = false;
    const auto since = hub_.Unsubscribe(TopicOf(room), *peer.connection);
    peer.connection->OnUnsubscribed(room, known.end, since.value_or(0));
  }

  // Control takes the next command; pages are as the log is now.
  void AnswerOne(bool fails) {
    if (asked_.empty()) return;
    auto [command, reply_id] = std::move(asked_.front());
    asked_.pop_front();
    Answer answer{.command = command, .reply_id = reply_id, .result = {}};
    if (command.has_replay_page()) {
      const v1::ReplayPage& page = command.replay_page();
      answer.is_expired = fails && Pick(2) == 0;
      if (fails) {
        *answer.result.mutable_error() = MakeError(v1::REASON_UNAVAILABLE, "");
      } else {
        const std::int64_t last = std::min(logs_[page.room_id()], page.after_seq() + 1 + Pick(6));
        answer.result =
            PageOf(page.room_id(), page.after_seq() + 1, last, last < logs_[page.room_id()]);
      }
    }
    answers_.push_back(std::move(answer));
  }

  static v1::Result PageOf(const std::string& room, std::int64_t first, std::int64_t last,
                           bool more) {
    v1::Result result = Page(first, last, more);
    result.mutable_history()->set_room_id(room);
    for (v1::Event& event : *result.mutable_history()->mutable_events()) event.set_room_id(room);
    return result;
  }

  // Broadcasts come in the same order as answers: a join takes place when its answer comes.
  void DeliverAnswer() {
    if (answers_.empty()) return;
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    Peer& peer = PeerOf(answer.command);
    Connection& connection = *peer.connection;
    if (answer.is_expired) {
      return connection.OnExpired(answer.command, answer.reply_id, answer.result.error());
    }
    if (answer.command.has_join_room()) {
      const std::string& room = answer.command.join_room().room_id();
      const Hub::Joined joined = hub_.Subscribe(TopicOf(room), connection, logs_[room]);
      if (const auto since = connection.OnSubscribed(room, joined.since, joined.is_new)) {
        hub_.Hold(TopicOf(room), connection, *since);
      }
      answer.result.mutable_join_room()->set_last_seq(logs_[room]);
      peer.is_member[room] = true;
      peer.is_busy[room] = false;
    }
    if (answer.command.has_leave_room()) {
      const std::string& room = answer.command.leave_room().room_id();
      const auto since = hub_.Unsubscribe(TopicOf(room), connection);
      connection.OnUnsubscribed(room, logs_[room], since.value_or(0));
      answer.result.mutable_leave_room()->set_room_id(room);
      peer.is_member[room] = false;
      peer.is_busy[room] = false;
    }
    connection.OnResult(answer.command, answer.reply_id, answer.result);
  }

  Peer& PeerOf(const v1::Command& command) { return peers_[command.connection() - 1]; }

  void TellTick() {
    if (!std::exchange(is_tick_wanted_, false)) return;
    for (Peer& peer : peers_) peer.connection->OnTick();
  }

  void TellDropped(const std::vector<Dropped>& dropped) {
    for (Peer& peer : peers_) peer.connection->OnDegraded(dropped);
  }

  // The end of a turn, as far as nothing is written.
  void Flush() {
    if (transport_->queue.has_dropped()) TellDropped(transport_->queue.TakeDropped());
  }

  // The reader takes so much.
  void Take(std::size_t bytes) {
    SendQueue& queue = transport_->queue;
    std::string chunk(std::min(bytes, queue.bytes()), '\0');
    queue.outbox().CopyTo(chunk);
    if (!chunk.empty()) queue.Consume(chunk.size());
    queue.OnReady();
    for (const char c : chunk) {
      if (c != '\n') {
        line_ += c;
        continue;
      }
      Hear(std::exchange(line_, {}));
    }
    if (queue.HasRoomAgain()) {
      for (Peer& peer : peers_) peer.connection->OnDrained();
    }
  }

  // Over to another transport, as an upgrade does between two whole frames.
  void Move() {
    if (!line_.empty() || !transport_->queue.outbox().is_front_whole()) return;
    const std::unique_ptr<QueueTransport> from = std::move(transport_);
    const std::vector<Dropped> dropped = from->queue.TakeDropped();
    transport_ = std::make_unique<QueueTransport>(home_);
    for (Peer& peer : peers_) peer.connection->MoveTo(*transport_);
    while (!from->queue.empty()) {
      const Outbox::Item item = from->queue.TakeFront();
      const bool is_logged = item.delivery == DeliveryClass::kLogged;
      transport_->Send(item.frame, is_logged ? DeliveryClass::kLogged : DeliveryClass::kControl);
    }
    TellDropped(dropped);
    for (Peer& peer : peers_) peer.connection->OnDrained();
  }

  // --- the clients

  void Hear(const std::string& line) {
    char kind = 0;
    int place = 0;
    char name[8] = {};
    long long seq = 0;
    if (line[0] == 's') return HearSignal(line);
    ASSERT_EQ(std::sscanf(line.c_str(), "%c %d %7s %lld", &kind, &place, name, &seq), 4) << line;
    Peer& peer = peers_[static_cast<std::size_t>(place)];
    ClientRoom& room = peer.rooms[name];
    if (kind == 'j') {  // It is subscribed from there on.
      room.is_subscribed = true;
      room.last = seq;
      if (peer.is_member[name]) room.end = INT64_MAX;
      return;
    }
    if (kind == 'l') {
      --room.leaves;
      room.is_subscribed = false;
      return;
    }
    if (room.leaves > 0) return;
    if (!room.is_subscribed) {
      return Fail(fmt::format("{} of {} got {} and is no subscriber", name, place, seq));
    }
    if (seq != room.last + 1) {
      return Fail(fmt::format("{} of {} got {} behind {}", name, place, seq, room.last));
    }
    room.last = seq;
    if (seq > room.end) Fail(fmt::format("{} of {} got {} behind the end", name, place, seq));
  }

  // Only the newest matters, so none comes behind a newer one.
  void HearSignal(const std::string& line) {
    int place = 0;
    long long number = 0;
    ASSERT_EQ(std::sscanf(line.c_str(), "s %d %lld", &place, &number), 2) << line;
    std::int64_t& last = peers_[static_cast<std::size_t>(place)].last_signal;
    if (number <= last) Fail(fmt::format("signal {} behind {}", number, last));
    last = number;
  }

  bool IsQuiet() {
    return asked_.empty() && answers_.empty() && transport_->queue.empty() &&
           !transport_->queue.has_dropped() && !transport_->queue.wants_room() && !is_tick_wanted_;
  }

  void CheckEnd(Peer& peer) {
    for (auto& [name, room] : peer.rooms) {
      if (!room.is_subscribed) continue;
      const std::int64_t last = std::min(logs_[name], room.end);
      if (room.last != last) {
        Fail(fmt::format("{} of {} has {}, not {}", name, peer.place, room.last, last));
      }
    }
  }

  std::mt19937 random_;
  tests::RecordingHost fake_;
  EventLoop loop_;
  NoSessions sessions_;
  TransportHome home_{
      .loop = loop_, .sessions = sessions_, .list = {}, .limits = {}, .sid_place = {}};
  Hub hub_{kConnections};
  std::unique_ptr<QueueTransport> transport_;
  std::deque<Peer> peers_;
  std::deque<std::pair<v1::Command, std::optional<std::uint64_t>>> asked_;
  std::deque<Answer> answers_;
  std::map<std::string, std::int64_t> logs_;
  std::int64_t signals_ = 0;
  std::string line_;  // What the reader has of a frame.
  std::string failure_;
  bool is_tick_wanted_ = false;
};

TEST(SlowReaderProperty, EachGetsEveryEventOnceAndInOrder) {
  const char* given = std::getenv("CONFAB_TEST_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                                         : std::random_device()();
  std::printf("seed %u\n", seed);
  for (unsigned i = 0; i < (given != nullptr ? 1 : kRuns); ++i) {
    ASSERT_EQ(Schedule(seed + i).Run(), "") << "CONFAB_TEST_SEED=" << seed + i;
  }
}

}  // namespace
}  // namespace confab::edge
