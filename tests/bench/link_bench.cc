// The stream between edge and control: what its batches cost to write and to read, an item.
#include <memory>
#include <string>
#include <utility>

#include "edge/control_link/attach_queue.h"
#include "edge/control_link/received_batch.h"
#include "tests/bench/edge_benches.h"
#include "tests/bench/edge_samples.h"

namespace confab::edge {

namespace {

using benchmark::DoNotOptimize;
using benchmark::State;
using tests::Require;

constexpr int kItems = 64;

v1::AttachResponse Broadcasts() {
  v1::AttachResponse batch;
  for (int i = 0; i < kItems; ++i) {
    v1::Broadcast& broadcast = *batch.add_items()->mutable_broadcast();
    broadcast.add_topics("room:room-1");
    *broadcast.mutable_event() = SampleEvent();
  }
  return batch;
}

v1::AttachResponse Results() {
  v1::AttachResponse batch;
  for (int i = 0; i < kItems; ++i) *batch.add_items()->mutable_result() = SampleResult();
  return batch;
}

v1::AttachRequest Commands() {
  v1::AttachRequest batch;
  for (int i = 0; i < kItems; ++i) *batch.add_items()->mutable_command() = SampleCommand();
  return batch;
}

template <typename Batch>
void Write(State& state, const Batch& batch) {
  std::string bytes;
  for (auto _ : state) {
    batch.SerializeToString(&bytes);
    DoNotOptimize(bytes.data());
  }
}

// Each batch into one of its own, which io threads keep for a while.
template <typename Make>
void Read(State& state, const v1::AttachResponse& batch, Make make) {
  const std::string bytes = batch.SerializeAsString();
  for (auto _ : state) {
    const std::shared_ptr<v1::AttachResponse> read = make();
    Require(read->ParseFromString(bytes), "the batch cannot be read");
    DoNotOptimize(read->items_size());
  }
}

// From the turn of an io thread into the batch that is written.
void QueueCommands(State& state) {
  AttachQueue queue;
  v1::AttachRequest items = Commands();
  v1::AttachRequest batch;
  for (auto _ : state) {
    for (v1::EdgeItem& item : *items.mutable_items()) queue.Push(std::move(item));
    items.Clear();
    Require(queue.Take(batch) && batch.items_size() == kItems, "commands were left");
    items.Swap(&batch);
  }
}

// Into the same message again and again, as control reads them; what is taken out of it is new.
void ReadCommands(State& state) {
  const std::string bytes = Commands().SerializeAsString();
  v1::AttachRequest batch;
  for (auto _ : state) {
    Require(batch.ParseFromString(bytes), "the batch cannot be read");
    for (v1::EdgeItem& item : *batch.mutable_items()) {
      v1::Command taken = std::move(*item.mutable_command());
      DoNotOptimize(taken);
    }
  }
}

}  // namespace

void AddLinkBenches(tests::BenchList& list) {
  list.Add(
      {"link/write_commands", "item", kItems, 20, [](State& state) { Write(state, Commands()); }});
  list.Add({"link/queue_commands", "item", kItems, 20, QueueCommands});
  list.Add({"link/read_commands", "item", kItems, 20, ReadCommands});
  list.Add({"link/write_broadcasts", "item", kItems, 20,
            [](State& state) { Write(state, Broadcasts()); }});
  list.Add({"link/read_broadcasts", "item", kItems, 20,
            [](State& state) { Read(state, Broadcasts(), MakeReceivedBatch); }});
  // Each message with memory of its own: the yardstick.
  list.Add({"link/read_broadcasts_on_heap", "item", kItems, 0, [](State& state) {
              Read(state, Broadcasts(), [] { return std::make_shared<v1::AttachResponse>(); });
            }});
  list.Add(
      {"link/write_results", "item", kItems, 20, [](State& state) { Write(state, Results()); }});
  list.Add({"link/read_results", "item", kItems, 20,
            [](State& state) { Read(state, Results(), MakeReceivedBatch); }});
}

}  // namespace confab::edge
