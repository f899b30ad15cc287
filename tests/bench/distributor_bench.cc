// A batch of control on its way to the io threads that want it.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "edge/distributor.h"
#include "process/metrics.h"
#include "tests/bench/edge_benches.h"
#include "tests/bench/edge_samples.h"

namespace confab::edge {

namespace {

using benchmark::State;
using tests::Require;

constexpr int kItems = 64;
constexpr int kRooms = 8;

class SilentLink final : public ControlLink {
 public:
  void Start(ControlLinkSink& /*sink*/) override {}
  void Announce(std::uint64_t /*stream*/, std::vector<v1::Hello> /*chunks*/) override {}
  void Send(std::uint64_t /*stream*/, std::vector<v1::EdgeItem>& items) override { items.clear(); }
  void Reset(std::uint64_t /*stream*/, std::string_view /*why*/) override { ++resets; }
  void Stop() override {}

  int resets = 0;
};

class CountingThread final : public Distributor::Recipient {
 public:
  void PostAnnounce(std::uint64_t /*stream*/) override {}
  void PostItems(ItemBatch items) override { count += items.items.size(); }
  void PostClosed(std::uint64_t /*stream*/) override {}

  std::size_t count = 0;
};

std::string TopicOf(int room) {
  return "room:0199f3c1-aaaa-7bbb-8ccc-00000000000" + std::to_string(room);
}

v1::AttachResponse Subscribes() {
  v1::AttachResponse batch;
  for (int room = 0; room < kRooms; ++room) {
    for (const std::uint64_t thread : {0u, 1u}) {
      v1::Subscribe& subscribe = *batch.add_items()->mutable_subscribe();
      subscribe.set_connection(0x100 | thread);
      subscribe.set_topic(TopicOf(room));
    }
  }
  return batch;
}

// Events of rooms that both threads want.
void Distribute(State& state) {
  process::Metrics metrics;
  EdgeMetrics figures(metrics);
  SilentLink link;
  CountingThread first, second;
  Distributor distributor(link, figures);
  distributor.Prepare({"edge-1", 1, "bench"}, {&first, &second});
  distributor.OnStreamOpened(1);
  distributor.OnItems(1, std::make_shared<v1::AttachResponse>(Subscribes()));
  const auto batch = std::make_shared<v1::AttachResponse>();
  for (int i = 0; i < kItems; ++i) {
    v1::Broadcast& broadcast = *batch->add_items()->mutable_broadcast();
    broadcast.add_topics(TopicOf(i % kRooms));
    *broadcast.mutable_event() = SampleEvent();
    broadcast.mutable_event()->mutable_event()->set_seq(i / kRooms + 1 - kItems / kRooms);
  }
  const std::size_t before = first.count;
  for (auto _ : state) {
    // The next ones of their rooms: a few nanoseconds of what is measured.
    for (v1::ControlItem& item : *batch->mutable_items()) {
      v1::Event& event = *item.mutable_broadcast()->mutable_event()->mutable_event();
      event.set_seq(event.seq() + kItems / kRooms);
    }
    distributor.OnItems(1, batch);
  }
  Require(link.resets == 0, "an event was missing");
  Require(first.count - before == static_cast<std::size_t>(state.iterations()) * kItems,
          "events were lost");
}

}  // namespace

void AddDistributorBenches(tests::BenchList& list) {
  list.Add({"distributor/route_broadcasts", "item", kItems, 40, Distribute});
}

}  // namespace confab::edge
