// Measures Append: messages a second, and CPU of this process and of the database for each.
// Built with the tests, run by hand:
// bench_append [seconds for each size] [sqlite|postgres] [one_trip_limit]
#include <cstdio>
#include <filesystem>
#include <functional>
#include <random>
#include <stdlib.h>
#include <string>
#include <sys/resource.h>

#include <absl/time/clock.h>

#include "storage/open_store.h"
#include "tests/support/postgres.h"

namespace confab::storage {
namespace {

constexpr int kRooms = 1000;
constexpr size_t kContentBytes = 200;

double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  exit(1);
}

void Run(const std::string& name, const std::string& url, const StoreOptions& options,
         absl::Duration duration, const std::function<double()>& database_cpu) {
  auto store = OpenStore(url, options);
  if (!store.ok()) Fail(store.status());
  if (const auto is_active = (*store)->TryBecomeActive(); !is_active.ok() || !*is_active) {
    Fail(is_active.status());
  }
  auto writer = (*store)->OpenWriter();
  if (!writer.ok()) Fail(writer.status());
  for (int i = 0; i < kRooms; ++i) {
    NewRoom room;
    room.id = RoomId("room-" + std::to_string(i));
    if (auto record = (*writer)->CreateRoom(room); !record.ok()) Fail(record.status());
  }
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same rooms in every run.
  int64_t keys = 0;
  for (const size_t size : {1u, 2u, 4u, 8u, 16u, 64u, 512u}) {
    const absl::Time start = absl::Now();
    const double own = OwnCpuSeconds();
    const double database = database_cpu();
    int64_t messages = 0;
    while (absl::Now() - start < duration) {
      std::vector<AppendRequest> batch(size);
      for (AppendRequest& request : batch) {
        request.room = RoomId("room-" + std::to_string(random() % kRooms));
        NewEvent& event = request.events.emplace_back();
        event.actor = {UserId("user-" + std::to_string(random() % 50)), "A name", ""};
        event.dedup = {DedupKey::Space::kClient, "client-message-" + std::to_string(++keys)};
        event.message_id = "01890a5d-ac96-774b-bcce-" + std::to_string(keys);
        event.type = "text";
        event.content = std::string(kContentBytes, 'x');
      }
      const auto outcomes = (*writer)->Append(batch);
      if (!outcomes.ok()) Fail(outcomes.status());
      messages += static_cast<int64_t>(size);
    }
    const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
    const double count = static_cast<double>(messages);
    std::printf("%-9s B=%-4zu %8.0f msg/s   own %6.1f us/msg   database %6.1f us/msg\n",
                name.c_str(), size, count / seconds, (OwnCpuSeconds() - own) / count * 1e6,
                (database_cpu() - database) / count * 1e6);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace confab::storage

int main(int argc, char** argv) {
  using confab::testing_support::PostgresServer;
  const absl::Duration duration = absl::Seconds(argc > 1 ? std::atof(argv[1]) : 5.0);
  const std::string only = argc > 2 ? argv[2] : "";
  confab::storage::StoreOptions options;
  if (argc > 3) options.one_trip_limit = std::atoi(argv[3]);
  if (only != "postgres") {
    std::string dir = "/tmp/confab-bench-XXXXXX";
    if (mkdtemp(dir.data()) == nullptr) return 1;
    confab::storage::Run("sqlite", "sqlite:" + dir + "/c.db", options, duration,
                         [] { return 0.0; });
    std::filesystem::remove_all(dir);
  }
  if (only != "sqlite") {
    PostgresServer server({"shared_buffers=256MB", "max_wal_size=2GB"});
    confab::storage::Run("postgres", server.NewSchemaUrl(), options, duration,
                         [&] { return server.CpuSeconds(); });
  }
  return 0;
}
