#include "tools/loadgen/process_watch.h"

#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>

namespace confab::loadgen {
namespace {

// Places behind the name, in brackets, that the second field is; as proc(5) counts them, less 3.
constexpr size_t kParent = 1;
constexpr size_t kUser = 11;
constexpr size_t kSystem = 12;
constexpr size_t kChildrenUser = 13;
constexpr size_t kChildrenSystem = 14;
constexpr size_t kRss = 21;

std::string ReadLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<ProcessStat> ReadStat(int pid) {
  return ParseProcessStat(ReadLine(fmt::format("/proc/{}/stat", pid)));
}

struct Tree {
  std::map<int, ProcessStat> processes;
  std::multimap<int, int> children;
};

Tree ReadTree() {
  Tree tree;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    int pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    const std::optional<ProcessStat> stat = ReadStat(pid);
    if (!stat.has_value()) continue;  // It has ended meanwhile.
    tree.processes[pid] = *stat;
    tree.children.emplace(stat->parent, pid);
  }
  return tree;
}

void Add(const Tree& tree, int pid, ProcessUsage& usage) {
  static const double ticks_a_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  static const int64_t page_bytes = sysconf(_SC_PAGESIZE);
  const auto process = tree.processes.find(pid);
  if (process == tree.processes.end()) return;
  const ProcessStat& stat = process->second;
  usage.user_s += static_cast<double>(stat.user_ticks) / ticks_a_second;
  usage.system_s += static_cast<double>(stat.system_ticks) / ticks_a_second;
  usage.rss_bytes += stat.rss_pages * page_bytes;
  ++usage.processes;
  const auto [begin, end] = tree.children.equal_range(pid);
  for (auto child = begin; child != end; ++child) Add(tree, child->second, usage);
}

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::optional<ProcessStat> ParseProcessStat(std::string_view line) {
  const size_t bracket = line.rfind(')');  // A name may hold brackets and spaces.
  if (bracket == std::string_view::npos || bracket + 2 > line.size()) return std::nullopt;
  const std::string rest(line.substr(bracket + 2));
  const std::vector<std::string> fields = absl::StrSplit(rest, ' ');
  if (fields.size() <= kRss) return std::nullopt;
  ProcessStat stat;
  uint64_t user = 0;
  uint64_t system = 0;
  if (!absl::SimpleAtoi(fields[kParent], &stat.parent) ||
      !absl::SimpleAtoi(fields[kUser], &stat.user_ticks) ||
      !absl::SimpleAtoi(fields[kSystem], &stat.system_ticks) ||
      !absl::SimpleAtoi(fields[kChildrenUser], &user) ||
      !absl::SimpleAtoi(fields[kChildrenSystem], &system) ||
      !absl::SimpleAtoi(fields[kRss], &stat.rss_pages)) {
    return std::nullopt;
  }
  stat.user_ticks += user;
  stat.system_ticks += system;
  return stat;
}

absl::StatusOr<ProcessWatch> ProcessWatch::Open(const std::vector<std::string>& processes) {
  ProcessWatch watch;
  for (const std::string& text : processes) {
    const size_t equals = text.find('=');
    Watched watched;
    if (equals != std::string::npos) watched.name = text.substr(0, equals);
    const std::string pid = equals == std::string::npos ? text : text.substr(equals + 1);
    if (!absl::SimpleAtoi(pid, &watched.pid) || watched.pid <= 0) {
      return absl::InvalidArgumentError(
          fmt::format("--pid {}: give PID or NAME=PID, as edge=1234", text));
    }
    if (!ReadStat(watched.pid).has_value()) {
      return absl::InvalidArgumentError(
          fmt::format("--pid {}: there is no process {} on this machine", text, watched.pid));
    }
    if (watched.name.empty()) watched.name = ReadLine(fmt::format("/proc/{}/comm", watched.pid));
    watch.watched_.push_back(std::move(watched));
  }
  return watch;
}

std::vector<ProcessUsage> ProcessWatch::Read() const {
  std::vector<ProcessUsage> usages(watched_.size());
  if (watched_.empty()) return usages;
  const Tree tree = ReadTree();
  for (size_t i = 0; i < watched_.size(); ++i) Add(tree, watched_[i].pid, usages[i]);
  return usages;
}

double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return SecondsOf(usage.ru_utime) + SecondsOf(usage.ru_stime);
}

}  // namespace confab::loadgen
