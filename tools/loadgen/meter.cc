#include "tools/loadgen/meter.h"

#include <utility>

#include <fmt/format.h>

namespace confab::loadgen {
namespace {

constexpr double kSecondNs = 1e9;

double Rate(uint64_t now, uint64_t before, double seconds) {
  return seconds > 0 ? static_cast<double>(now - before) / seconds : 0;
}

}  // namespace

Meter::Meter(Outcome& outcome, ProcessWatch watch) : outcome_(outcome), watch_(std::move(watch)) {
  for (const ProcessWatch::Watched& process : watch_.watched()) {
    outcome_.processes.push_back(
        {.process = process, .at_start = {}, .at_begin = {}, .at_end = {}});
  }
}

void Meter::ReadAtStart() {
  const std::vector<ProcessUsage> usages = watch_.Read();
  for (size_t i = 0; i < usages.size(); ++i) outcome_.processes[i].at_start = usages[i];
}

void Meter::Begin(int64_t now) {
  is_measuring_ = true;
  began_ = last_ = now;
  last_counts_ = outcome_.counts;
  own_at_begin_ = last_own_ = OwnCpuSeconds();
  last_usages_ = watch_.Read();
  for (size_t i = 0; i < last_usages_.size(); ++i) outcome_.processes[i].at_begin = last_usages_[i];
}

void Meter::End(int64_t now) {
  if (!is_measuring_) return;
  // A piece of a moment would show as a peak or a dip.
  if (now - last_ >= kMomentNs / 2) TakeMoment(now);
  is_measuring_ = false;
  outcome_.elapsed_s = static_cast<double>(now - began_) / kSecondNs;
  outcome_.own_cpu_s = OwnCpuSeconds() - own_at_begin_;
  const std::vector<ProcessUsage> usages = watch_.Read();
  for (size_t i = 0; i < usages.size(); ++i) outcome_.processes[i].at_end = usages[i];
}

void Meter::OnTick(int64_t now) {
  if (is_measuring_ && now - last_ >= kMomentNs) TakeMoment(now);
}

void Meter::TakeMoment(int64_t now) {
  const double seconds = static_cast<double>(now - last_) / kSecondNs;
  const Counts& counts = outcome_.counts;
  Moment moment{.at_s = static_cast<double>(now - began_) / kSecondNs,
                .messages_per_s = Rate(counts.acked, last_counts_.acked, seconds),
                .deliveries_per_s = Rate(counts.delivered, last_counts_.delivered, seconds),
                .handshakes_per_s = Rate(counts.handshakes, last_counts_.handshakes, seconds),
                .own_cores = (OwnCpuSeconds() - last_own_) / seconds,
                .cores = {}};
  std::vector<ProcessUsage> usages = watch_.Read();
  for (size_t i = 0; i < usages.size(); ++i) {
    moment.cores.push_back((usages[i].cpu_s() - last_usages_[i].cpu_s()) / seconds);
  }
  outcome_.moments.push_back(std::move(moment));
  last_ = now;
  last_counts_ = counts;
  last_own_ = OwnCpuSeconds();
  last_usages_ = std::move(usages);
}

std::string ShowCount(double value) {
  if (value >= 1e9) return fmt::format("{:.3g} G", value / 1e9);
  if (value >= 999.5e3) return fmt::format("{:.3g} M", value / 1e6);
  if (value >= 9'999.5) return fmt::format("{:.3g} k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

std::string ShowTime(double nanoseconds) {
  if (nanoseconds >= 999.5e6) return fmt::format("{:.3g} s", nanoseconds / 1e9);
  if (nanoseconds >= 999.5e3) return fmt::format("{:.3g} ms", nanoseconds / 1e6);
  return fmt::format("{:.0f} µs", nanoseconds / 1e3);
}

std::string ProgressLine(const Outcome& outcome, const std::string& what, double elapsed_s,
                         const Faults& faults) {
  const Counts& counts = outcome.counts;
  std::string line =
      fmt::format("{} {} {:.1f} s", NameOf(outcome.options.scenario), what, elapsed_s);
  if (outcome.plan.senders() > 0) {
    line +=
        fmt::format("  {} messages  {} deliveries", ShowCount(static_cast<double>(counts.acked)),
                    ShowCount(static_cast<double>(counts.delivered)));
    if (outcome.delivery.count() > 0) {
      line += fmt::format("  p50 {}  p99 {}",
                          ShowTime(static_cast<double>(outcome.delivery.Percentile(50))),
                          ShowTime(static_cast<double>(outcome.delivery.Percentile(99))));
    }
  }
  if (counts.handshakes > 0) {
    line += fmt::format("  {} handshakes", ShowCount(static_cast<double>(counts.handshakes)));
  }
  if (!outcome.moments.empty() && outcome.plan.senders() > 0) {
    const Moment& last = outcome.moments.back();
    line += fmt::format("  {}/s", ShowCount(last.messages_per_s));
  }
  const uint64_t bad =
      faults.sum() + counts.refused + counts.disconnected + counts.failed_handshakes;
  if (bad > 0) line += fmt::format("  FAULTS {}", bad);
  return line;
}

}  // namespace confab::loadgen
