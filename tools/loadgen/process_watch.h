// process_watch.h: what processes cost, as the kernel counts it: CPU in ticks of 10 ms, resident
// memory. Children belong to their parent (PostgreSQL has a process for each connection).
// Owns: the last figures of each.   Used by: load_run.
// Threads: confined to the main thread.
// Fails: INVALID_ARGUMENT names the process that is not there; one that ends later adds nothing more.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

namespace confab::loadgen {

struct ProcessUsage {
  double user_s = 0;
  double system_s = 0;
  int64_t rss_bytes = 0;
  uint32_t processes = 0;

  double cpu_s() const { return user_s + system_s; }
};

// One line of /proc/PID/stat.
struct ProcessStat {
  int parent = 0;
  uint64_t user_ticks = 0;  // With those of children that have ended.
  uint64_t system_ticks = 0;
  int64_t rss_pages = 0;
};
// nullopt: that is no such line.
std::optional<ProcessStat> ParseProcessStat(std::string_view line);

class ProcessWatch {
 public:
  // Each "[NAME=]PID"; without a name it is that of the program.
  static absl::StatusOr<ProcessWatch> Open(const std::vector<std::string>& processes);

  struct Watched {
    std::string name;
    int pid = 0;
  };
  const std::vector<Watched>& watched() const { return watched_; }

  // Now, of each in turn, since it began.
  std::vector<ProcessUsage> Read() const;

 private:
  std::vector<Watched> watched_;
};

// Of this process.
double OwnCpuSeconds();

}  // namespace confab::loadgen
