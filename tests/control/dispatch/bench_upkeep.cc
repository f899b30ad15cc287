// Measures how long writers wait while a large room is trimmed and erased beside them: the p99 of
// posting before and during, and their ratio. Built with the tests, run by hand:
// bench_upkeep [messages in the room, default 1000000] [sqlite|postgres] [posts a second, 200]
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <future>
#include <mutex>
#include <stdlib.h>
#include <string>
#include <thread>
#include <vector>

#include <absl/time/clock.h>

#include "control/dispatch/dispatcher.h"
#include "control/room/uuid7.h"
#include "process/metrics.h"
#include "storage/open_store.h"
#include "tests/support/postgres.h"

namespace confab::control {
namespace {

using storage::RoomId;
using storage::UserId;
using Clock = std::chrono::steady_clock;

constexpr absl::Duration kBaseline = absl::Seconds(10);
constexpr size_t kBatch = 512;

void Require(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  exit(1);
}

storage::NewEvent MessageOf(const std::string& user, int64_t number) {
  storage::NewEvent event;
  event.actor = {UserId(user), "A name", user + "@example.org"};
  event.dedup = {storage::DedupKey::Space::kClient, "key-" + std::to_string(number)};
  event.message_id = NewUuid7();
  event.type = "text";
  event.content = std::string(200, 'x');
  return event;
}

// A room of so many messages, every second one ann's; and one that others write into.
void Fill(storage::Store& store, int64_t messages) {
  auto writer = store.OpenWriter();
  Require(writer.status());
  for (const std::string id : {"large", "busy"}) {
    storage::NewRoom room;
    room.id = RoomId(id);
    room.members = {{UserId("ann"), storage::Role::kOwner},
                    {UserId("bob"), storage::Role::kMember}};
    Require((*writer)->CreateRoom(room).status());
  }
  for (int64_t done = 0; done < messages;) {
    std::vector<storage::AppendRequest> batch;
    for (; batch.size() < kBatch && done < messages; ++done) {
      batch.push_back({RoomId("large"), 2, {MessageOf(done % 2 == 0 ? "ann" : "bob", done)}});
    }
    Require((*writer)->Append(batch).status());
  }
}

// Posts at a steady rate and keeps how long each took.
class Load {
 public:
  Load(Dispatcher& dispatcher, double rate)
      : dispatcher_(dispatcher), interval_(absl::Seconds(1 / rate)), thread_([this] { Run(); }) {}
  ~Load() {
    is_stopping_ = true;
    thread_.join();
  }
  // p99 of what was posted since the last call, in milliseconds.
  double TakeP99() {
    std::vector<double> times;
    {
      const std::lock_guard lock(mu_);
      times.swap(times_);
    }
    if (times.empty()) return 0;
    const auto at = times.begin() + static_cast<std::ptrdiff_t>(times.size() * 99 / 100);
    std::nth_element(times.begin(), at, times.end());
    return *at;
  }

 private:
  void Run() {
    auto next = Clock::now();
    for (int64_t n = 0; !is_stopping_; ++n) {
      next += absl::ToChronoNanoseconds(interval_);
      std::this_thread::sleep_until(next);
      ServicePost post;
      post.room = RoomId(n % 2 == 0 ? "busy" : "large");
      post.service = "bench";
      post.content = "hello";
      // From when it was due: a load that waits for answers hides the waiting.
      dispatcher_.PostAsService(
          std::move(post), next + std::chrono::seconds(10),
          [this, due = next](const absl::StatusOr<PostedMessage>& posted) {
            Require(posted.status());
            const std::lock_guard lock(mu_);
            times_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - due).count());
          });
    }
  }

  Dispatcher& dispatcher_;
  const absl::Duration interval_;
  std::atomic<bool> is_stopping_{false};
  std::mutex mu_;
  std::vector<double> times_;
  std::thread thread_;
};

void Say(const char* what, double p99, double before, absl::Duration took) {
  std::printf("  %-10s p99 %6.2f ms   ratio %5.2f   in %s\n", what, p99, p99 / before,
              absl::FormatDuration(absl::Trunc(took, absl::Milliseconds(1))).c_str());
  std::fflush(stdout);
}

void EraseAnn(Dispatcher& dispatcher) {
  std::promise<void> erased;
  dispatcher.EraseUser(UserId("ann"), {}, [&](const absl::StatusOr<EraseReport>& report) {
    Require(report.status());
    if (report->is_done) erased.set_value();
    return true;
  });
  erased.get_future().get();
}

void TrimLargeRoom(Dispatcher& dispatcher, storage::Store& store) {
  std::promise<void> set;
  dispatcher.SetRetention(RoomId("large"), {absl::ZeroDuration(), 1000}, {},
                          Clock::now() + std::chrono::seconds(10),
                          [&](const absl::StatusOr<storage::Retention>& retention) {
                            Require(retention.status());
                            set.set_value();
                          });
  set.get_future().get();
  storage::EventQuery oldest;
  oldest.room = RoomId("large");
  oldest.after_seq = 0;
  oldest.limit = 1;
  while (true) {
    const auto page = store.ReadEvents(oldest);
    Require(page.status());
    if (page->events.empty() || page->events[0].seq + 2000 > page->last_seq) return;
    absl::SleepFor(absl::Milliseconds(200));
  }
}

void Run(const std::string& name, const std::string& url, int64_t messages, double rate) {
  auto opened = storage::OpenStore(url, {});
  Require(opened.status());
  storage::Store& store = **opened;
  Require(store.TryBecomeActive().status());
  Fill(store, messages);
  process::Metrics metrics;
  DispatcherOptions options;
  options.retention_round = absl::Milliseconds(100);
  Dispatcher dispatcher(options, metrics, [](const absl::Status& status) { Require(status); });
  dispatcher.Start(store);
  std::printf("%s, a room of %lld messages, %.0f posts/s\n", name.c_str(),
              static_cast<long long>(messages), rate);
  {
    Load load(dispatcher, rate);
    absl::SleepFor(absl::Seconds(2));  // Until everything is warm.
    load.TakeP99();
    absl::SleepFor(kBaseline);
    const double before = load.TakeP99();
    Say("before", before, before, kBaseline);
    absl::Time start = absl::Now();
    EraseAnn(dispatcher);
    Say("erasing", load.TakeP99(), before, absl::Now() - start);
    start = absl::Now();
    TrimLargeRoom(dispatcher, store);
    Say("retention", load.TakeP99(), before, absl::Now() - start);
  }
  dispatcher.Stop();
}

}  // namespace
}  // namespace confab::control

int main(int argc, char** argv) {
  using confab::testing_support::PostgresServer;
  const int64_t messages = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  const std::string only = argc > 2 ? argv[2] : "";
  const double rate = argc > 3 ? std::atof(argv[3]) : 200;
  if (only != "postgres") {
    std::string dir = "/tmp/confab-bench-XXXXXX";
    if (mkdtemp(dir.data()) == nullptr) return 1;
    confab::control::Run("sqlite", "sqlite:" + dir + "/c.db", messages, rate);
    std::filesystem::remove_all(dir);
  }
  if (only != "sqlite") {
    PostgresServer server({"shared_buffers=256MB", "max_wal_size=2GB"});
    confab::control::Run("postgres", server.NewSchemaUrl(), messages, rate);
  }
  return 0;
}
