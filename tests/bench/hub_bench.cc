// An event on its way to the subscribers of a topic: encoded once, handed to each.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <sys/uio.h>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "edge/dialect/dialect_set.h"
#include "edge/hub/hub.h"
#include "edge/transport/event_loop.h"
#include "edge/transport/send_queue.h"
#include "edge/transport/transport_home.h"
#include "tests/bench/edge_benches.h"
#include "tests/bench/edge_peers.h"

namespace confab::edge {

namespace {

using benchmark::State;
using tests::Require;

constexpr const char* kTopic = "room:room-1";
constexpr std::size_t kBurstSubscribers = 1'000;
constexpr int kBurst = 16;

class NoSessions final : public SessionFactory {
 public:
  std::unique_ptr<Session> OpenSession(OpenRequest /*request*/, Transport& /*transport*/) override {
    return nullptr;
  }
};

// As the WebSocket transport with its output layer, but that what is flushed goes nowhere: every
// step of a delivery except the system call.
class QueueTransport final : public Transport,
                             private EventLoop::Flushable,
                             private Backlog::Reader {
 public:
  explicit QueueTransport(TransportHome& home)
      : loop_(home.loop), queue_(static_cast<Backlog::Reader&>(*this), home) {}

  bool Send(const SharedFrame& frame, DeliveryClass delivery) override {
    const SendQueue::Taken taken = queue_.Append(frame, delivery);
    loop_.MarkDirty(*this);
    return taken != SendQueue::Taken::kPassed;
  }
  void SendBytes(std::string_view /*frame*/, DeliveryClass /*delivery*/) override {}
  void Close(CloseReason /*reason*/) override {}
  void PrefetchSend() const override { EventLoop::Flushable::Prefetch(); }
  bool HasRoom() override { return true; }
  bool HasRoomBelow(std::size_t /*bytes*/) override { return true; }

  std::size_t bytes = 0;

 private:
  void Flush() override {
    static std::array<char, 64 * 1024> copy_buffer;
    while (!queue_.empty()) {
      std::size_t taken = 0;
      if (queue_.outbox().frames() == 1) {
        std::array<iovec, 1> piece{};
        queue_.outbox().Peek(piece);
        taken = piece[0].iov_len;
      } else {
        taken = queue_.outbox().CopyTo(copy_buffer);
      }
      bytes += taken;
      queue_.Consume(taken);
    }
  }
  void OnStalled() override {}

  EventLoop& loop_;
  SendQueue queue_;
};

// A topic with so many subscribers, all of the default dialect. Each stands by itself in memory, as
// it does in an edge.
template <typename TransportOfPeer>
class Room {
 public:
  template <typename... Args>
  explicit Room(std::size_t size, Args&&... args) {
    for (std::size_t i = 0; i < size; ++i) {
      peers_.push_back(std::make_unique<Peer>(host_, wire_, encoder_, args...));
      hub_.Subscribe(kTopic, peers_.back()->connection, 0);
    }
    Require(Deliver() == size, "the event did not reach all subscribers");
    burst_.topic = kTopic;
    for (std::size_t i = 0; i < told_.size(); ++i) {
      told_[i].mutable_event()->set_seq(event_.event().seq() + static_cast<std::int64_t>(i));
      burst_.events.push_back({.event = &told_[i]});
    }
  }

  std::size_t Deliver() { return hub_.Deliver(kTopic, 0, event_); }
  // kBurst events that came together.
  std::size_t DeliverBurst() {
    hub_.Deliver(burst_);
    std::size_t count = 0;
    for (std::size_t i = 0; i < told_.size(); ++i) count += hub_.DeliverApart(burst_, i);
    return count;
  }

 private:
  struct Peer {
    template <typename... Args>
    Peer(ConnectionHost& host, ClientWire& wire, const EventEncoder& encoder, Args&... args)
        : transport(args...), connection(host, wire, transport, encoder) {}
    TransportOfPeer transport;
    Connection connection;
  };

  AmpleHost host_;
  SilentWire wire_;
  const DialectSet dialects_ = *DialectSet::Load("");
  const SocketIoEventEncoder encoder_{0, *dialects_.Find("confab"), "/"};
  const v1::RoomEvent event_ = SampleEvent();
  std::vector<v1::RoomEvent> told_ = std::vector<v1::RoomEvent>(kBurst, event_);
  EventRun burst_;
  std::vector<std::unique_ptr<Peer>> peers_;
  Hub hub_{1};
};

void Deliver(State& state, std::size_t subscribers) {
  Room<CountingTransport> room(subscribers);
  for (auto _ : state) benchmark::DoNotOptimize(room.Deliver());
}

void DeliverAndFlush(State& state, std::size_t subscribers) {
  EventLoop loop;
  NoSessions sessions;
  TransportHome home{.loop = loop, .sessions = sessions, .list = {}, .limits = {}, .sid_place = {}};
  Room<QueueTransport> room(subscribers, home);
  loop.context().poll();
  for (auto _ : state) {
    room.Deliver();
    loop.context().poll();
  }
  Require(loop.queued_bytes() == 0, "frames were left in their queues");
}

// Events that came together, up to the system call: one behind the other, or joined.
void Burst(State& state, bool is_joined) {
  EventLoop loop;
  NoSessions sessions;
  TransportHome home{.loop = loop, .sessions = sessions, .list = {}, .limits = {}, .sid_place = {}};
  Room<QueueTransport> room(kBurstSubscribers, home);
  loop.context().poll();
  for (auto _ : state) {
    std::size_t count = 0;
    if (is_joined) {
      count = room.DeliverBurst();
    } else {
      for (int i = 0; i < kBurst; ++i) count += room.Deliver();
    }
    Require(count == kBurst * kBurstSubscribers, "deliveries are missing");
    loop.context().poll();
  }
  Require(loop.queued_bytes() == 0, "frames were left in their queues");
}

}  // namespace

void AddHubBenches(tests::BenchList& list) {
  for (const int subscribers : {10, 100, 1'000, 10'000}) {
    const auto count = static_cast<std::size_t>(subscribers);
    const std::int64_t counted = std::max(2, 2'000 / subscribers);
    list.Add({"hub/deliver/" + std::to_string(subscribers), "delivery", subscribers, counted,
              [count](State& state) { Deliver(state, count); }});
    list.Add({"hub/deliver_and_flush/" + std::to_string(subscribers), "delivery", subscribers,
              counted, [count](State& state) { DeliverAndFlush(state, count); }});
  }
  for (const bool is_joined : {false, true}) {
    list.Add({is_joined ? "hub/burst_joined" : "hub/burst_one_by_one", "delivery",
              kBurst * static_cast<int>(kBurstSubscribers), 2,
              [is_joined](State& state) { Burst(state, is_joined); }});
  }
}

}  // namespace confab::edge
