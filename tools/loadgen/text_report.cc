#include "tools/loadgen/text_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/loadgen/advice.h"
#include "tools/loadgen/figures.h"
#include "tools/loadgen/meter.h"

namespace confab::loadgen {
namespace {

constexpr double kBytesAMiB = 1024 * 1024;

std::string Count(uint64_t value) { return ShowCount(static_cast<double>(value)); }

std::string Pacing(const Plan& plan) {
  if (plan.senders() == 0) return "nobody sends";
  if (plan.window > 0) {
    return fmt::format("{} senders, {} in flight each", plan.senders(), plan.window);
  }
  return fmt::format("{} senders, {:g} messages a second each", plan.senders(), plan.rate);
}

std::vector<std::string> LatencyRow(const std::string& name, const Histogram& histogram) {
  std::vector<std::string> row = {name, Count(histogram.count())};
  for (const double percent : {50.0, 90.0, 99.0, 99.9}) {
    row.push_back(ShowTime(static_cast<double>(histogram.Percentile(percent))));
  }
  row.push_back(ShowTime(static_cast<double>(histogram.max())));
  return row;
}

std::string OrDash(const std::optional<double>& value, double scale = 1) {
  return value.has_value() ? fmt::format("{:.3g}", *value * scale) : "-";
}

std::vector<std::string> ProcessHead(Scenario scenario) {
  std::vector<std::string> head = {"process", "CPU s", "user", "system"};
  if (scenario == Scenario::kHandshake) {
    head.push_back("ms per handshake");
  } else if (scenario == Scenario::kIdle) {
    head.insert(head.end(), {"s per 1,000 conn. and hour", "KiB per connection"});
  } else {
    head.insert(head.end(), {"s per 1M messages", "s per 1M deliveries"});
  }
  head.push_back("RSS MiB");
  return head;
}

std::vector<std::string> ProcessRow(const Outcome& outcome, const ProcessFigures& process) {
  std::vector<std::string> row = {process.process.name, fmt::format("{:.2f}", process.cpu_s()),
                                  fmt::format("{:.2f}", process.user_s()),
                                  fmt::format("{:.2f}", process.system_s())};
  const UnitCosts costs = CostsOf(outcome, process);
  if (outcome.options.scenario == Scenario::kHandshake) {
    row.push_back(OrDash(costs.ms_per_handshake));
  } else if (outcome.options.scenario == Scenario::kIdle) {
    row.push_back(OrDash(costs.s_per_thousand_connections_hour));
    row.push_back(OrDash(costs.rss_bytes_per_connection, 1.0 / 1024));
  } else {
    row.push_back(OrDash(costs.s_per_million_messages));
    row.push_back(OrDash(costs.s_per_million_deliveries));
  }
  row.push_back(fmt::format("{:.1f}", static_cast<double>(process.at_end.rss_bytes) / kBytesAMiB));
  return row;
}

// Characters, not bytes: a micro sign has two.
size_t WidthOf(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string TableOf(const Rows& rows) {
  std::vector<size_t> widths(rows.empty() ? 0 : rows.front().size(), 0);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string gap(widths[i] - WidthOf(row[i]), ' ');
      text += i == 0 ? row[i] + gap : "  " + gap + row[i];
    }
    text += '\n';
  }
  return text;
}

void AddFault(uint64_t count, const char* what, std::string& text) {
  if (count == 0) return;
  text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
}

std::string FaultText(const Outcome& outcome) {
  const Faults& faults = outcome.faults;
  std::string text;
  AddFault(faults.lost, "deliveries lost", text);
  AddFault(faults.doubled, "doubled", text);
  AddFault(faults.disordered, "out of order", text);
  AddFault(faults.missing, "missing in the order of a room", text);
  AddFault(faults.corrupt, "with content that nobody sent", text);
  AddFault(faults.strayed, "of another room", text);
  AddFault(faults.misnumbered, "acknowledged with another seq", text);
  AddFault(faults.unanswered, "messages without an answer", text);
  AddFault(outcome.counts.refused, "messages refused", text);
  AddFault(outcome.counts.disconnected, "connections closed by the server", text);
  AddFault(outcome.counts.failed_handshakes, "handshakes failed", text);
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> SummaryOf(const Outcome& outcome) {
  const Plan& plan = outcome.plan;
  const Counts& counts = outcome.counts;
  std::vector<std::pair<std::string, std::string>> rows;
  rows.emplace_back(
      "load", fmt::format("{} rooms of {}, {}", plan.rooms, plan.members_per_room, Pacing(plan)));
  rows.emplace_back(
      "measured", fmt::format("{:.2f} s, {} connections", outcome.elapsed_s, outcome.connections));
  if (plan.senders() > 0) {
    rows.emplace_back("messages", fmt::format("{} stored, {} a second", Count(counts.acked),
                                              ShowCount(PerSecond(outcome, counts.acked))));
    rows.emplace_back("deliveries", fmt::format("{}, {} a second", Count(counts.delivered),
                                                ShowCount(PerSecond(outcome, counts.delivered))));
  }
  if (outcome.options.scenario == Scenario::kHandshake) {
    rows.emplace_back("handshakes", fmt::format("{}, {} a second", Count(counts.handshakes),
                                                ShowCount(PerSecond(outcome, counts.handshakes))));
  }
  rows.emplace_back("this tool", fmt::format("{:.2f} of a core", OwnCores(outcome)));
  return rows;
}

Rows LatencyRows(const Outcome& outcome) {
  Rows rows = {{"latency", "count", "p50", "p90", "p99", "p99.9", "max"}};
  if (outcome.plan.senders() > 0) {
    rows.push_back(LatencyRow("acknowledgement", outcome.ack));
    rows.push_back(LatencyRow("delivery", outcome.delivery));
  }
  if (outcome.options.scenario == Scenario::kHandshake) {
    rows.push_back(LatencyRow("whole handshake", outcome.steps.whole));
    rows.push_back(LatencyRow("  connect", outcome.steps.connect));
    rows.push_back(LatencyRow("  upgrade", outcome.steps.upgrade));
    rows.push_back(LatencyRow("  token", outcome.steps.admit));
    rows.push_back(LatencyRow("  join", outcome.steps.join));
  }
  if (rows.size() == 1) rows.clear();
  return rows;
}

Rows ProcessRows(const Outcome& outcome) {
  if (outcome.processes.empty()) return {};
  Rows rows = {ProcessHead(outcome.options.scenario)};
  for (const ProcessFigures& process : outcome.processes) {
    rows.push_back(ProcessRow(outcome, process));
  }
  if (outcome.processes.size() > 1) rows.push_back(ProcessRow(outcome, SumOf(outcome)));
  return rows;
}

std::string VerdictOf(const Outcome& outcome) {
  const std::string faults = FaultText(outcome);
  const char* end = outcome.is_interrupted ? " (interrupted: this is what there was)" : "";
  if (!faults.empty()) return fmt::format("FAULTS: {}{}", faults, end);
  if (outcome.plan.senders() == 0) return fmt::format("clean: nothing failed{}", end);
  return fmt::format("clean: nothing lost, doubled, out of order or missing{}", end);
}

std::vector<std::string> NotesOf(const Outcome& outcome) {
  std::vector<std::string> notes;
  for (const auto& [reason, refusal] : outcome.refusals) {
    std::string note = fmt::format("{} x {}: {}", refusal.count, reason, refusal.example);
    const std::string advice = AdviceOn(reason, refusal.example);
    if (!advice.empty()) note += "; " + advice;
    notes.push_back(std::move(note));
  }
  if (outcome.counts.skipped > 0) {
    notes.push_back(
        fmt::format("{} messages were not sent when they were due: the server did not "
                    "keep up with the rate",
                    outcome.counts.skipped));
  }
  if (OwnCores(outcome) > kBusyCores) {
    notes.push_back(
        "this tool was busy nearly all the time: it may be what limits these figures; "
        "load less, or run several of it");
  }
  return notes;
}

std::string TextOf(const Outcome& outcome) {
  std::string text;
  for (const auto& [name, value] : SummaryOf(outcome)) {
    text += fmt::format("{:<12}{}\n", name, value);
  }
  if (const Rows rows = LatencyRows(outcome); !rows.empty()) text += "\n" + TableOf(rows);
  if (const Rows rows = ProcessRows(outcome); !rows.empty()) text += "\n" + TableOf(rows);
  text += "\n" + VerdictOf(outcome) + "\n";
  for (const std::string& note : NotesOf(outcome)) text += note + "\n";
  return text;
}

}  // namespace confab::loadgen
