// Batches of messages on their way into a store: planned, and written to memory and to SQLite.
// PostgreSQL: bench_append, which counts the database's own time too.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <absl/time/clock.h>

#include "storage/append_plan.h"
#include "storage/open_store.h"
#include "tests/bench/control_benches.h"
#include "tests/bench/sample_batch.h"
#include "tests/fakes/memory_store.h"

namespace confab::control {

namespace {

using benchmark::DoNotOptimize;
using benchmark::State;
using storage::Store;
using tests::Require;

constexpr int kRooms = SampleBatch::kRooms;
// A store in memory keeps everything: after so many messages it begins anew.
constexpr int kMessagesKept = 20'000;

// A store with its rooms, open for writing.
class Opened {
 public:
  explicit Opened(std::unique_ptr<Store> store) : store_(std::move(store)) {
    const auto is_active = store_->TryBecomeActive();
    Require(is_active.ok() && *is_active, "the store is another's");
    auto writer = store_->OpenWriter();
    Require(writer.ok(), writer.status().ToString());
    writer_ = *std::move(writer);
    for (int i = 0; i < kRooms; ++i) {
      storage::NewRoom room;
      room.id = SampleBatch::RoomOf(i);
      Require(writer_->CreateRoom(room).ok(), "the room cannot be made");
    }
  }

  void Append(storage::AppendBatch batch) {
    const auto outcomes = writer_->Append(batch);
    Require(outcomes.ok() && outcomes->back().kind == storage::AppendOutcome::Kind::kStored,
            "the batch was not stored");
  }

 private:
  std::unique_ptr<Store> store_;
  std::unique_ptr<storage::StoreWriter> writer_;
};

void AppendToMemory(State& state, int size) {
  SampleBatch batch(size);
  auto opened = std::make_unique<Opened>(std::make_unique<storage::MemoryStore>());
  int kept = 0;
  for (auto _ : state) {
    if ((kept += size) > kMessagesKept) {
      state.PauseTiming();
      opened = std::make_unique<Opened>(std::make_unique<storage::MemoryStore>());
      kept = size;
      state.ResumeTiming();
    }
    opened->Append(batch.Next());
  }
}

// A directory that goes with its object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() { Require(mkdtemp(path_.data()) != nullptr, "there is no room in /tmp"); }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/confab-bench-XXXXXX";
};

void AppendToSqlite(State& state, int size) {
  const TemporaryDirectory directory;
  auto store = storage::OpenStore("sqlite:" + directory.path() + "/c.db", {});
  Require(store.ok(), store.status().ToString());
  Opened opened(*std::move(store));
  SampleBatch batch(size);
  for (auto _ : state) opened.Append(batch.Next());
}

// What all backends share: the numbers of a batch whose rooms were locked.
void Plan(State& state, int size) {
  SampleBatch batch(size);
  for (auto _ : state) {
    storage::AppendPlanner planner(batch.Next());
    for (const storage::RoomId* room : planner.rooms()) planner.SetRoom(*room, {});
    const auto plan = planner.Plan(absl::UnixEpoch());
    Require(plan.ok() && plan->events.size() == static_cast<std::size_t>(size),
            "the plan lacks events");
  }
}

}  // namespace

void AddStoreBenches(tests::BenchList& list) {
  for (const int size : {1, 8, 64}) {
    const std::string name = std::to_string(size);
    const std::int64_t counted = 192 / size;
    list.Add({"commit/plan/" + name, "message", size, counted,
              [size](State& state) { Plan(state, size); }});
    list.Add({"commit/memory/" + name, "message", size, counted,
              [size](State& state) { AppendToMemory(state, size); }});
    list.Add({"commit/sqlite/" + name, "message", size, counted,
              [size](State& state) { AppendToSqlite(state, size); }});
  }
}

}  // namespace confab::control
