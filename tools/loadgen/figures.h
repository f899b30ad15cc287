// figures.h: what a run found, by unit of work: what one compares between servers and versions.
// Threads: pure functions.
#pragma once

#include <optional>

#include "tools/loadgen/outcome.h"

namespace confab::loadgen {

// Only those that the scenario is about, and that there was work for.
struct UnitCosts {
  std::optional<double> s_per_million_messages;
  std::optional<double> s_per_million_deliveries;
  std::optional<double> ms_per_handshake;
  std::optional<double> s_per_thousand_connections_hour;
  std::optional<double> rss_bytes_per_connection;
};

UnitCosts CostsOf(const Outcome& outcome, const ProcessFigures& process);

// All watched processes together, named "all". REQUIRES: there is one.
ProcessFigures SumOf(const Outcome& outcome);

double PerSecond(const Outcome& outcome, uint64_t count);

// Above that the tool may be what limits the figures: it is one thread.
inline constexpr double kBusyCores = 0.85;
double OwnCores(const Outcome& outcome);

}  // namespace confab::loadgen
