// Measures what the feed costs where messages are stored: CPU of the writing thread, of the whole
// process and of the database for each message, without the feed (PostgreSQL without its index and
// its column's default; SQLite's feed costs a writer nothing), with it, and with a consumer that
// follows it. The three take turns, and medians are told. Built with the tests, run by hand:
// bench_feed [messages a second, 2000; 0: as fast as it goes] [rounds, 5] [sqlite|postgres]
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <stdlib.h>
#include <string>
#include <thread>
#include <time.h>
#include <vector>

#include <absl/time/clock.h>

#include "control/dispatch/feed_page.h"
#include "control/room/uuid7.h"
#include "storage/open_store.h"
#include "tests/support/postgres.h"

namespace confab::control {
namespace {

using storage::RoomId;
using storage::UserId;
using testing_support::PostgresServer;

constexpr int kRooms = 200;
constexpr size_t kBatch = 16;
constexpr absl::Duration kRound = absl::Seconds(4);
constexpr absl::Duration kLookInterval = absl::Milliseconds(200);  // As FeedStream looks.

void Require(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  exit(1);
}

double ThreadCpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double ProcessCpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Reads the feed of a store as a consumer does, until it goes.
class Consumer {
 public:
  Consumer(storage::Store& store, storage::FeedPosition& position)
      : thread_([this, &store, &position] {
          while (!is_stopping_) {
            const auto page = ReadFeedPage(store, position);
            Require(page.status());
            events_ += page->events_size();
            position = *FeedPositionOf(page->position());
            if (page->at_end()) absl::SleepFor(kLookInterval);
          }
        }) {}
  ~Consumer() {
    is_stopping_ = true;
    thread_.join();
  }
  int64_t events() const { return events_; }

 private:
  std::atomic<bool> is_stopping_{false};
  std::atomic<int64_t> events_{0};
  std::thread thread_;
};

struct Variant {
  const char* name;
  bool is_followed = false;
  std::unique_ptr<storage::Store> store;
  std::unique_ptr<storage::StoreWriter> writer;
  storage::FeedPosition position;
  int64_t keys = 0;
  // Microseconds for each message, by round.
  std::vector<double> writing, process, database;
  int64_t written = 0, read = 0;
};

double MedianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Open(Variant& variant, const std::string& url) {
  auto store = storage::OpenStore(url, {});
  Require(store.status());
  variant.store = *std::move(store);
  Require(variant.store->TryBecomeActive().status());
  auto writer = variant.store->OpenWriter();
  Require(writer.status());
  variant.writer = *std::move(writer);
  for (int i = 0; i < kRooms; ++i) {
    storage::NewRoom room;
    room.id = RoomId("room-" + std::to_string(i));
    Require(variant.writer->CreateRoom(room).status());
  }
}

void Write(Variant& variant, std::mt19937& random) {
  std::vector<storage::AppendRequest> batch(kBatch);
  for (storage::AppendRequest& request : batch) {
    request.room = RoomId("room-" + std::to_string(random() % kRooms));
    storage::NewEvent& event = request.events.emplace_back();
    event.actor = {UserId("user-" + std::to_string(random() % 50)), "A name", ""};
    event.dedup = {storage::DedupKey::Space::kClient, "key-" + std::to_string(++variant.keys)};
    event.message_id = NewUuid7();
    event.type = "text";
    event.content = std::string(200, 'x');
  }
  Require(variant.writer->Append(batch).status());
}

void Round(Variant& variant, double rate, const std::function<double()>& database_cpu) {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same rooms in every round.
  std::unique_ptr<Consumer> consumer;
  if (variant.is_followed) consumer = std::make_unique<Consumer>(*variant.store, variant.position);
  const double database = database_cpu();
  const double process = ProcessCpuSeconds();
  const double writing = ThreadCpuSeconds();
  const absl::Time start = absl::Now();
  int64_t messages = 0;
  while (absl::Now() - start < kRound) {
    Write(variant, random);
    messages += static_cast<int64_t>(kBatch);
    if (rate > 0) {
      const absl::Time due = start + absl::Seconds(static_cast<double>(messages) / rate);
      absl::SleepFor(due - absl::Now());
    }
  }
  const double each = 1e6 / static_cast<double>(messages);
  variant.writing.push_back((ThreadCpuSeconds() - writing) * each);
  variant.process.push_back((ProcessCpuSeconds() - process) * each);
  variant.database.push_back((database_cpu() - database) * each);
  variant.written += messages;
  if (consumer) variant.read += consumer->events();
}

void Run(const char* name, std::vector<Variant>& variants, double rate, int rounds,
         const std::function<double()>& database_cpu) {
  std::printf("%s, %.0f messages/s in batches of %zu, %d rounds, us of CPU for each message\n",
              name, rate, kBatch, rounds);
  for (int round = -1; round < rounds; ++round) {
    for (Variant& variant : variants) {
      Round(variant, rate, database_cpu);
      if (round >= 0) continue;  // Until everything is warm.
      variant.writing.clear();
      variant.process.clear();
      variant.database.clear();
      variant.written = variant.read = 0;
    }
  }
  double first = 0;
  for (const Variant& variant : variants) {
    const double whole = MedianOf(variant.process) + MedianOf(variant.database);
    if (first == 0) first = whole;
    std::printf("  %-9s writer %6.1f  process %6.1f  database %6.1f  together %6.1f  ratio %.3f",
                variant.name, MedianOf(variant.writing), MedianOf(variant.process),
                MedianOf(variant.database), whole, whole / first);
    if (variant.is_followed) {
      std::printf("  read %lld of %lld", static_cast<long long>(variant.read),
                  static_cast<long long>(variant.written));
    }
    std::printf("\n");
  }
  std::fflush(stdout);
}

Variant VariantOf(const char* name, bool is_followed) {
  Variant variant;
  variant.name = name;
  variant.is_followed = is_followed;
  return variant;
}

void RunSqlite(double rate, int rounds) {
  std::string dir = "/tmp/confab-bench-XXXXXX";
  if (mkdtemp(dir.data()) == nullptr) exit(1);
  std::vector<Variant> variants;
  variants.push_back(VariantOf("with", false));
  variants.push_back(VariantOf("followed", true));
  for (Variant& variant : variants) Open(variant, "sqlite:" + dir + "/" + variant.name + ".db");
  Run("sqlite", variants, rate, rounds, [] { return 0.0; });
  variants.clear();
  std::filesystem::remove_all(dir);
}

void RunPostgres(double rate, int rounds) {
  PostgresServer server({"shared_buffers=256MB", "max_wal_size=2GB"});
  std::vector<Variant> variants;
  variants.push_back(VariantOf("without", false));
  variants.push_back(VariantOf("with", false));
  variants.push_back(VariantOf("followed", true));
  for (Variant& variant : variants) {
    const std::string schema = server.NewSchema();
    Open(variant, PostgresServer::UrlOf(server.socket_dir(), schema));
    if (std::string_view(variant.name) != "without") continue;
    server.Execute("DROP INDEX " + schema + ".events_feed");
    server.Execute("ALTER TABLE " + schema + ".events ALTER COLUMN tx SET DEFAULT 0");
  }
  Run("postgres", variants, rate, rounds, [&] { return server.CpuSeconds(); });
}

}  // namespace
}  // namespace confab::control

int main(int argc, char** argv) {
  const double rate = argc > 1 ? std::atof(argv[1]) : 2000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  const std::string only = argc > 3 ? argv[3] : "";
  if (only != "postgres") confab::control::RunSqlite(rate, rounds);
  if (only != "sqlite") confab::control::RunPostgres(rate, rounds);
  return 0;
}
