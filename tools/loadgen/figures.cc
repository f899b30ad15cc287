#include "tools/loadgen/figures.h"

namespace confab::loadgen {
namespace {

std::optional<double> Per(double value, double units) {
  if (units <= 0) return std::nullopt;
  return value / units;
}

void Add(const ProcessUsage& more, ProcessUsage& sum) {
  sum.user_s += more.user_s;
  sum.system_s += more.system_s;
  sum.rss_bytes += more.rss_bytes;
  sum.processes += more.processes;
}

}  // namespace

UnitCosts CostsOf(const Outcome& outcome, const ProcessFigures& process) {
  const Counts& counts = outcome.counts;
  const double cpu_s = process.cpu_s();
  UnitCosts costs;
  switch (outcome.options.scenario) {
    case Scenario::kFanout:
    case Scenario::kPairs:
    case Scenario::kChat:
    case Scenario::kDurable:
      costs.s_per_million_messages = Per(cpu_s * 1e6, static_cast<double>(counts.acked));
      costs.s_per_million_deliveries = Per(cpu_s * 1e6, static_cast<double>(counts.delivered));
      break;
    case Scenario::kHandshake:
      costs.ms_per_handshake = Per(cpu_s * 1e3, static_cast<double>(counts.handshakes));
      break;
    case Scenario::kIdle:
      costs.s_per_thousand_connections_hour =
          Per(cpu_s * 3600 * 1000, outcome.elapsed_s * outcome.connections);
      costs.rss_bytes_per_connection =
          Per(static_cast<double>(process.at_end.rss_bytes - process.at_start.rss_bytes),
              outcome.connections);
      break;
  }
  return costs;
}

ProcessFigures SumOf(const Outcome& outcome) {
  ProcessFigures sum{.process = {"all", 0}, .at_start = {}, .at_begin = {}, .at_end = {}};
  for (const ProcessFigures& process : outcome.processes) {
    Add(process.at_start, sum.at_start);
    Add(process.at_begin, sum.at_begin);
    Add(process.at_end, sum.at_end);
  }
  return sum;
}

double PerSecond(const Outcome& outcome, uint64_t count) {
  return outcome.elapsed_s > 0 ? static_cast<double>(count) / outcome.elapsed_s : 0;
}

double OwnCores(const Outcome& outcome) {
  return outcome.elapsed_s > 0 ? outcome.own_cpu_s / outcome.elapsed_s : 0;
}

}  // namespace confab::loadgen
