#include "process/failpoint.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "process/log.h"

namespace confab::process {

namespace {

constexpr std::string_view kForm = "POINT=kill or POINT=wait:TIME, with @N for the Nth time";
// Longer than anything that a test waits for.
constexpr absl::Duration kWaitLimit = absl::Hours(1);

struct Strike {
  std::size_t point = 0;
  std::int64_t at = 1;  // The how manieth passage.
  absl::Duration wait;  // Zero: kill.
};

// One for each point. The process begins with none armed.
struct Armed {
  std::atomic<std::int64_t> left{0};  // Passages until it strikes; below 1: never again.
  absl::Duration wait;
};

std::atomic<bool> is_any_armed{false};
std::array<Armed, kFailpoints> armed_points;

absl::Status Wrong(std::string_view entry, std::string_view why) {
  return absl::InvalidArgumentError(fmt::format("CONFAB_FAILPOINTS, \"{}\": {}", entry, why));
}

// NAME=ACTION[@N]
absl::StatusOr<Strike> ParseStrike(std::string_view entry) {
  const std::size_t equals = entry.find('=');
  if (equals == std::string_view::npos) return Wrong(entry, fmt::format("write {}", kForm));
  const std::string_view name = entry.substr(0, equals);
  std::string_view action = entry.substr(equals + 1);

  Strike strike;
  const auto* found = std::find(std::begin(kFailpointNames), std::end(kFailpointNames), name);
  if (found == std::end(kFailpointNames)) {
    return Wrong(entry, fmt::format("there is no point \"{}\", but {}", name,
                                    fmt::join(kFailpointNames, ", ")));
  }
  strike.point = static_cast<std::size_t>(found - std::begin(kFailpointNames));

  if (const std::size_t at = action.rfind('@'); at != std::string_view::npos) {
    const std::string count(action.substr(at + 1));
    if (!absl::SimpleAtoi(count, &strike.at) || strike.at < 1) {
      return Wrong(entry, "behind @ stands a whole number from 1 on");
    }
    action = action.substr(0, at);
  }
  if (action == "kill") return strike;

  constexpr std::string_view kWait = "wait:";
  if (!action.starts_with(kWait)) return Wrong(entry, fmt::format("write {}", kForm));
  const std::string time(action.substr(kWait.size()));
  if (!absl::ParseDuration(time, &strike.wait) || strike.wait <= absl::ZeroDuration() ||
      strike.wait > kWaitLimit) {
    return Wrong(entry, fmt::format("\"{}\" is no time up to {}, as 250ms or 2s", time,
                                    absl::FormatDuration(kWaitLimit)));
  }
  return strike;
}

absl::StatusOr<std::vector<Strike>> Parse(std::string_view text) {
  std::vector<Strike> strikes;
  if (text.empty()) return strikes;
  for (const std::string& entry :
       std::vector<std::string>(absl::StrSplit(std::string(text), ';'))) {
    absl::StatusOr<Strike> strike = ParseStrike(entry);
    if (!strike.ok()) return strike.status();
    const auto is_same = [&](const Strike& other) { return other.point == strike->point; };
    if (std::any_of(strikes.begin(), strikes.end(), is_same)) {
      return Wrong(entry, "the point is there already, and strikes once");
    }
    strikes.push_back(*strike);
  }
  return strikes;
}

[[noreturn]] void Die(std::string_view name) {
  // Not by the log, whose thread would not come to it.
  std::fprintf(stderr, "failpoint %.*s: killed\n", static_cast<int>(name.size()), name.data());
  kill(getpid(), SIGKILL);
  for (;;) pause();  // Until this thread has heard of it.
}

}  // namespace

absl::Status ArmFailpoints(std::string_view text) {
  const absl::StatusOr<std::vector<Strike>> strikes = Parse(text);
  if (!strikes.ok()) return strikes.status();
  for (Armed& armed : armed_points) armed.left.store(0, std::memory_order_relaxed);
  for (const Strike& strike : *strikes) {
    armed_points[strike.point].wait = strike.wait;
    armed_points[strike.point].left.store(strike.at, std::memory_order_relaxed);
  }
  is_any_armed.store(!strikes->empty(), std::memory_order_release);
  return absl::OkStatus();
}

absl::Status ArmFailpointsByEnvironment() {
  const char* text =
      std::getenv("CONFAB_FAILPOINTS");  // NOLINT(concurrency-mt-unsafe): before threads
  if (text == nullptr || *text == '\0') return absl::OkStatus();
  if (absl::Status status = ArmFailpoints(text); !status.ok()) return status;
  LogWarn("failpoints are armed: this process will fail on purpose", {{"failpoints", text}});
  return absl::OkStatus();
}

void PassFailpoint(Failpoint point) {
  if (!is_any_armed.load(std::memory_order_acquire)) return;
  const auto index = static_cast<std::size_t>(point);
  Armed& armed = armed_points[index];
  if (armed.left.load(std::memory_order_relaxed) < 1) return;
  if (armed.left.fetch_sub(1, std::memory_order_relaxed) != 1) return;
  if (armed.wait == absl::ZeroDuration()) Die(kFailpointNames[index]);
  LogWarn("failpoint waits",
          {{"failpoint", kFailpointNames[index]}, {"for", absl::FormatDuration(armed.wait)}});
  absl::SleepFor(armed.wait);
}

}  // namespace confab::process
