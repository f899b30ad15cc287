// Runs of events, told joined and told one by one, to the same subscribers: whoever is live, held,
// catching up, nameless for some, answered in between or on one socket with another, each socket gets the
// same bytes either way, and the same number of connections is counted. Run with CONFAB_TEST_SEED=n to
// repeat a run.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "edge/hub/hub.h"
#include "tests/edge/connection/connection_fakes.h"

namespace confab::edge {
namespace {

using tests::RecordingHost;
using tests::RecordingTransport;
using tests::RecordingWire;

constexpr int kPeers = 8;
constexpr int kShared = 2;  // The first of them, on one transport.
constexpr int kRounds = 25;
constexpr int kRuns = 120;
constexpr char kTopic[] = "room:r";

// "<index> <seq> <number>…\n", of changing length; of some encoders every third event has none.
class LineEncoder final : public EventEncoder {
 public:
  LineEncoder(std::size_t index, const OffsetStamp& stamp) : EventEncoder(index), stamp_(stamp) {}
  SharedFrame Encode(const v1::Event& event, std::string_view,
                     std::string& scratch) const override {
    if (index() % 3 == 2 && event.seq() % 3 == 0) return {};
    scratch = fmt::format("{} {} {} ", index(), event.seq(), stamp_.number());
    scratch.append(static_cast<std::size_t>(event.seq() * 37 % 60), '.');
    scratch += '\n';
    return SharedFrame::Copy(scratch);
  }
  SharedFrame Encode(const v1::Signal&, std::string&) const override { return {}; }
  SharedFrame Encode(const v1::Notification&, std::string&) const override { return {}; }
  bool can_notify() const override { return false; }
  bool can_ack_inbox() const override { return false; }

 private:
  const OffsetStamp& stamp_;
};

// One edge's thread, as far as its hub goes.
class Side {
 public:
  Side() {
    const std::string token =
        process::SignJwt({{"sub", "ann"}, {"exp", absl::ToUnixSeconds(absl::Now()) + 3'600}},
                         *process::JwtKey::FromSecret(std::string(32, 's')));
    for (int i = 0; i < kPeers; ++i) {
      const bool shares = i > 0 && i < kShared;
      transports_.push_back(shares ? transports_.back() : std::make_shared<RecordingTransport>());
      encoders_.push_back(std::make_unique<LineEncoder>(static_cast<std::size_t>(i % 4), stamp));
      connections_.push_back(
          std::make_unique<Connection>(host_, wire_, *transports_.back(), *encoders_.back()));
      EXPECT_FALSE(connections_.back()->Authenticate(token));
      connections_.back()->Admit(static_cast<std::uint64_t>(i + 1), "name");
    }
  }

  Connection& connection(int peer) { return *connections_[static_cast<std::size_t>(peer)]; }
  RecordingTransport& transport(int peer) { return *transports_[static_cast<std::size_t>(peer)]; }
  void Ack(int peer, int number) {
    transport(peer).SendBytes(fmt::format("{} ack {} {}\n", peer % 4, number, stamp.number()),
                              DeliveryClass::kControl);
  }
  // What the socket has got; of several connections on it, each by itself.
  std::map<char, std::string> Heard(int peer) {
    std::string all;
    for (const std::string& frame : transport(peer).sent) all += frame;
    if (peer >= kShared) return {{' ', all}};
    std::map<char, std::string> heard;
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t end = all.find('\n', at) + 1;
      heard[all[at]] += all.substr(at, end - at);
      at = end;
    }
    return heard;
  }

  const std::string beginning = "e.1.";
  OffsetStamp stamp{beginning};
  Hub hub{4};

 private:
  RecordingHost host_;
  RecordingWire wire_;
  std::vector<std::shared_ptr<RecordingTransport>> transports_;
  std::vector<std::unique_ptr<LineEncoder>> encoders_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

// An event, or the answer that a peer gets between two.
struct Item {
  int asker = -1;  // -1: an event.
  int place = 0;   // Of the event in the run, or the number of the ack.
  std::uint64_t number = 0;
};

class Comparison {
 public:
  explicit Comparison(unsigned seed) : random_(seed) {}

  void Run() {
    for (int i = 0; i < kRounds && !testing::Test::HasFailure(); ++i) {
      for (int change = Pick(4); change > 0; --change) Change();
      Tell();
    }
    for (int peer = 0; peer < kPeers; ++peer) {
      EXPECT_EQ(joined_.Heard(peer), single_.Heard(peer)) << "peer " << peer;
      EXPECT_EQ(joined_.hub.PositionOf(kTopic, joined_.connection(peer)),
                single_.hub.PositionOf(kTopic, single_.connection(peer)));
    }
  }

 private:
  int Pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }

  void Change() {
    const int peer = Pick(kPeers);
    const int what = Pick(6);
    const std::int64_t seq = std::max<std::int64_t>(0, last_ - 3 + Pick(12));
    for (Side* side : {&joined_, &single_}) {
      Connection& connection = side->connection(peer);
      if (what < 3) side->hub.Subscribe(kTopic, connection, seq);
      if (what == 3) side->hub.Hold(kTopic, connection);
      if (what == 4) side->hub.GoLive(kTopic, connection, seq);
      if (what == 5) side->hub.Unsubscribe(kTopic, connection);
    }
  }

  void Tell() {
    std::vector<v1::RoomEvent> events(static_cast<std::size_t>(1 + Pick(12)));
    std::vector<Item> items;
    for (std::size_t i = 0; i < events.size(); ++i) {
      events[i].mutable_event()->set_room_id("r");
      events[i].mutable_event()->set_seq(++last_);
      items.push_back({.place = static_cast<int>(i), .number = ++number_});
      while (Pick(4) == 0) {
        items.push_back({.asker = Pick(kPeers), .place = Pick(100), .number = number_});
      }
    }
    EXPECT_EQ(TellJoined(events, items), TellSingle(events, items));
  }

  // To how many connections each event went.
  using Counts = std::vector<std::size_t>;

  Counts TellSingle(const std::vector<v1::RoomEvent>& events, const std::vector<Item>& items) {
    Counts counts;
    for (const Item& item : items) {
      single_.stamp.Set(item.number);
      if (item.asker >= 0) {
        single_.Ack(item.asker, item.place);
      } else {
        counts.push_back(
            single_.hub.Deliver(kTopic, 0, events[static_cast<std::size_t>(item.place)]));
      }
    }
    return counts;
  }

  Counts TellJoined(const std::vector<v1::RoomEvent>& events, const std::vector<Item>& items) {
    EventRun run;
    run.topic = kTopic;
    run.stamp = &joined_.stamp;
    run.frame_bytes_limit = Pick(2) == 0 ? 100 : 10'000;
    for (const Item& item : items) {
      if (item.asker >= 0) {
        run.apart.push_back(&joined_.transport(item.asker));
      } else {
        run.events.push_back(
            {.event = &events[static_cast<std::size_t>(item.place)], .number = item.number});
      }
    }
    joined_.hub.Deliver(run);
    Counts counts;
    for (const Item& item : items) {
      joined_.stamp.Set(item.number);
      if (item.asker >= 0) {
        joined_.Ack(item.asker, item.place);
      } else {
        counts.push_back(joined_.hub.DeliverApart(run, static_cast<std::size_t>(item.place)));
      }
    }
    return counts;
  }

  std::mt19937 random_;
  Side joined_;
  Side single_;
  std::int64_t last_ = 0;
  std::uint64_t number_ = 0;
};

TEST(EventRunProperty, GivesEachSocketTheBytesOfSingleEvents) {
  const char* given = std::getenv("CONFAB_TEST_SEED");
  const unsigned first = given != nullptr ? static_cast<unsigned>(std::atoi(given))
                                          : static_cast<unsigned>(std::random_device{}() >> 1);
  for (unsigned seed = first; seed < first + (given != nullptr ? 1 : kRuns); ++seed) {
    SCOPED_TRACE(fmt::format("CONFAB_TEST_SEED={}", seed));
    Comparison(seed).Run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace confab::edge
