#include "tools/loadgen/html_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "tools/loadgen/meter.h"
#include "tools/loadgen/svg_plot.h"
#include "tools/loadgen/text_report.h"

namespace confab::loadgen {
namespace {

constexpr char kStyle[] = R"(
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #667; --paper: #fff; --grid: #e3e5ea;
  --s0: #1f6feb; --s1: #d9480f; --s2: #2b8a3e; --s3: #862e9c; --s4: #b08800; --s5: #0b7285; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --soft: #9aa; --paper: #16181d;
  --grid: #2c3038; --s0: #6ea8fe; --s1: #ff9466; --s2: #69db7c; --s3: #da77f2; --s4: #ffd43b;
  --s5: #66d9e8; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } .when { color: var(--soft); margin-top: 0; }
.verdict { padding: .6rem 1rem; border-left: .35rem solid var(--s2); background: var(--grid); }
.verdict.faults { border-color: var(--s1); font-weight: 600; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .2rem .8rem .2rem 0;
  text-align: right; font-variant-numeric: tabular-nums; border-bottom: 1px solid var(--grid); }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
table.plain td { text-align: left; } figure { margin: 1.5rem 0; }
figcaption { font-weight: 600; } svg { width: 100%; height: auto; }
.grid { stroke: var(--grid); } .tick, .label { fill: var(--soft); font-size: 11px; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.s0 { stroke: var(--s0); } .line.s1 { stroke: var(--s1); } .line.s2 { stroke: var(--s2); }
.line.s3 { stroke: var(--s3); } .line.s4 { stroke: var(--s4); } .line.s5 { stroke: var(--s5); }
.fill.s0 { fill: var(--s0); } .fill.s1 { fill: var(--s1); } .fill.s2 { fill: var(--s2); }
.fill.s3 { fill: var(--s3); } .fill.s4 { fill: var(--s4); } .fill.s5 { fill: var(--s5); }
)";

// Columns of the plot of a distribution: fine enough to see two peaks.
constexpr double kColumnsADecade = 16;

// Colours end there.
constexpr size_t kProcessesPlotted = 5;

std::string SecondsLabel(double seconds) { return fmt::format("{:g} s", seconds); }

struct NamedHistogram {
  std::string name;
  const Histogram* histogram;
};

std::vector<NamedHistogram> HistogramsOf(const Outcome& outcome) {
  std::vector<NamedHistogram> all = {{"acknowledgement", &outcome.ack},
                                     {"delivery", &outcome.delivery},
                                     {"whole handshake", &outcome.steps.whole},
                                     {"connect", &outcome.steps.connect},
                                     {"upgrade", &outcome.steps.upgrade},
                                     {"token", &outcome.steps.admit},
                                     {"join", &outcome.steps.join}};
  std::erase_if(all, [](const NamedHistogram& one) { return one.histogram->count() == 0; });
  return all;
}

double AtLeastOne(int64_t nanoseconds) { return std::max(1.0, static_cast<double>(nanoseconds)); }

Axis TimeAxis(const std::vector<NamedHistogram>& histograms) {
  double min = 1e12;
  double max = 1;
  for (const NamedHistogram& one : histograms) {
    min = std::min(min, AtLeastOne(one.histogram->min()));
    max = std::max(max, AtLeastOne(one.histogram->max()));
  }
  return LogAxis("latency", min, max, [](double ns) { return ShowTime(ns); });
}

// How latency grows towards the slowest: each step to the right is ten times rarer.
std::string PercentilePlot(const std::vector<NamedHistogram>& histograms) {
  Plot plot{.title = "Latency by percentile", .x = {}, .y = TimeAxis(histograms), .series = {}};
  plot.x = {.label = "percentile", .from = 0, .to = 5, .ticks = {}};
  plot.x.ticks = {{0, "0"},    {std::log10(2), "50"}, {1, "90"},    {2, "99"},
                  {3, "99.9"}, {4, "99.99"},          {5, "99.999"}};
  for (const NamedHistogram& one : histograms) {
    Series series{.name = one.name, .points = {}};
    // Beyond its count a percentile only repeats the largest value.
    const double end =
        std::min(5.0, std::log10(static_cast<double>(one.histogram->count())) + 0.05);
    for (double rarity = 0; rarity <= end; rarity += 0.05) {
      const double percent = 100 * (1 - std::pow(10, -rarity));
      series.points.emplace_back(rarity,
                                 std::log10(AtLeastOne(one.histogram->Percentile(percent))));
    }
    plot.series.push_back(std::move(series));
  }
  return SvgOf(plot);
}

std::string DistributionPlot(const std::vector<NamedHistogram>& histograms) {
  Plot plot{.title = "Distribution of latency", .x = TimeAxis(histograms), .y = {}, .series = {}};
  double highest = 0;
  for (const NamedHistogram& one : histograms) {
    std::map<int, double> columns;
    for (const Histogram::Step& step : one.histogram->Steps()) {
      const double middle = AtLeastOne(step.from + (step.to - step.from) / 2);
      const auto column = static_cast<int>(std::floor(std::log10(middle) * kColumnsADecade));
      columns[column] +=
          100 * static_cast<double>(step.count) / static_cast<double>(one.histogram->count());
    }
    Series series{.name = one.name, .points = {}};
    for (int column = columns.begin()->first - 1; column <= columns.rbegin()->first + 1; ++column) {
      const auto found = columns.find(column);
      const double share = found == columns.end() ? 0 : found->second;
      highest = std::max(highest, share);
      series.points.emplace_back((column + 0.5) / kColumnsADecade, share);
    }
    plot.series.push_back(std::move(series));
  }
  plot.y = LinearAxis("share", highest, [](double share) { return fmt::format("{:g} %", share); });
  return SvgOf(plot);
}

template <typename ValueOf>
Series SeriesOf(const Outcome& outcome, std::string name, const ValueOf& value_of) {
  Series series{.name = std::move(name), .points = {}};
  for (const Moment& moment : outcome.moments) {
    series.points.emplace_back(moment.at_s, value_of(moment));
  }
  return series;
}

std::string OverTime(const Outcome& outcome, std::string title, std::string label,
                     std::vector<Series> series, const std::function<std::string(double)>& show) {
  double highest = 0;
  for (const Series& one : series) {
    for (const auto& [x, y] : one.points) highest = std::max(highest, y);
  }
  return SvgOf({.title = std::move(title),
                .x = LinearAxis("time", outcome.moments.back().at_s, SecondsLabel),
                .y = LinearAxis(std::move(label), highest, show),
                .series = std::move(series)});
}

std::string ThroughputPlot(const Outcome& outcome) {
  std::vector<Series> series;
  if (outcome.options.scenario == Scenario::kHandshake) {
    series.push_back(
        SeriesOf(outcome, "handshakes", [](const Moment& m) { return m.handshakes_per_s; }));
  } else {
    series.push_back(
        SeriesOf(outcome, "messages", [](const Moment& m) { return m.messages_per_s; }));
    series.push_back(
        SeriesOf(outcome, "deliveries", [](const Moment& m) { return m.deliveries_per_s; }));
  }
  return OverTime(outcome, "Throughput", "a second", std::move(series), ShowCount);
}

std::string CpuPlot(const Outcome& outcome) {
  std::vector<Series> series;
  for (size_t i = 0; i < std::min(outcome.processes.size(), kProcessesPlotted); ++i) {
    series.push_back(SeriesOf(outcome, outcome.processes[i].process.name,
                              [i](const Moment& m) { return m.cores[i]; }));
  }
  series.push_back(SeriesOf(outcome, "this tool", [](const Moment& m) { return m.own_cores; }));
  return OverTime(outcome, "CPU", "cores", std::move(series),
                  [](double cores) { return fmt::format("{:g}", cores); });
}

std::string PlotsOf(const Outcome& outcome) {
  std::string html;
  if (const auto histograms = HistogramsOf(outcome); !histograms.empty()) {
    html += PercentilePlot(histograms) + DistributionPlot(histograms);
  }
  if (outcome.moments.size() < 2) return html;
  if (outcome.options.scenario != Scenario::kIdle) html += ThroughputPlot(outcome);
  return html + CpuPlot(outcome);
}

std::string TableOf(const Rows& rows) {
  if (rows.empty()) return "";
  std::string html = "<table>";
  for (size_t i = 0; i < rows.size(); ++i) {
    const char* tag = i == 0 ? "th" : "td";
    html += "<tr>";
    for (const std::string& cell : rows[i])
      html += fmt::format("<{0}>{1}</{0}>", tag, Escaped(cell));
    html += "</tr>";
  }
  return html + "</table>\n";
}

std::string SummaryTable(const Outcome& outcome) {
  std::string html = R"(<table class="plain">)";
  for (const auto& [name, value] : SummaryOf(outcome)) {
    html += fmt::format("<tr><td>{}</td><td>{}</td></tr>", Escaped(name), Escaped(value));
  }
  for (const std::string& url : outcome.options.urls) {
    html += fmt::format("<tr><td>edge</td><td>{}</td></tr>", Escaped(url));
  }
  return html + "</table>\n";
}

}  // namespace

std::string HtmlOf(const Outcome& outcome) {
  const char* scenario = NameOf(outcome.options.scenario);
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\">"
      "<title>Confab under load: {}</title><style>{}</style></head><body>\n",
      scenario, kStyle);
  html += fmt::format(
      "<h1>Confab under load: {}</h1><p class=\"when\">{}, run {}, confab-loadgen {}</p>\n",
      scenario, outcome.started_at, outcome.run, CONFAB_VERSION);
  html += fmt::format("<p class=\"verdict{}\">{}</p>\n", outcome.is_clean() ? "" : " faults",
                      Escaped(VerdictOf(outcome)));
  for (const std::string& note : NotesOf(outcome)) html += "<p>" + Escaped(note) + "</p>\n";
  html += SummaryTable(outcome) + TableOf(LatencyRows(outcome)) + TableOf(ProcessRows(outcome));
  html += PlotsOf(outcome);
  html += fmt::format(
      "<p class=\"when\">Percentiles are within {:.1f} % of the value. CPU is counted by the "
      "kernel in "
      "steps of 10 ms. One thread read all clients, so a delivery's latency holds its reading "
      "time.</p>\n</body></html>\n",
      Histogram::kRelativeError * 100);
  return html;
}

}  // namespace confab::loadgen
