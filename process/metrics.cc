#include "process/metrics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace confab::process {
namespace {

// What must not stand bare in a label value or a help line (quotes only in values).
std::string Escaped(std::string_view text, bool is_value) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && is_value) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

// k="v",k2="v2"
std::string LabelText(const MetricLabels& labels) {
  std::string out;
  for (const auto& [key, value] : labels) {
    fmt::format_to(std::back_inserter(out), "{}{}=\"{}\"", out.empty() ? "" : ",", key,
                   Escaped(value, true));
  }
  return out;
}

std::string NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

void AppendSample(std::string& out, std::string_view name, std::string_view labels,
                  std::string_view value) {
  if (labels.empty()) {
    fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
  } else {
    fmt::format_to(std::back_inserter(out), "{}{{{}}} {}\n", name, labels, value);
  }
}

void AppendHistogram(std::string& out, std::string_view name, const std::string& labels,
                     const Histogram& histogram) {
  const std::string before = labels.empty() ? "" : labels + ",";
  const std::string bucket_name = fmt::format("{}_bucket", name);
  // The count is the sum of the buckets as read, so that one page never contradicts itself.
  uint64_t count = 0;
  for (size_t i = 0; i <= histogram.bounds().size(); ++i) {
    count += histogram.bucket(i);
    const std::string bound =
        i < histogram.bounds().size() ? NumberText(histogram.bounds()[i]) : "+Inf";
    AppendSample(out, bucket_name, fmt::format("{}le=\"{}\"", before, bound),
                 fmt::format("{}", count));
  }
  AppendSample(out, fmt::format("{}_sum", name), labels, NumberText(histogram.sum()));
  AppendSample(out, fmt::format("{}_count", name), labels, fmt::format("{}", count));
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)),
      buckets_(std::make_unique<std::atomic<uint64_t>[]>(bounds_.size() + 1)) {
  assert(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::Observe(double value) {
  if (std::isnan(value)) return;
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  buckets_[static_cast<size_t>(bound - bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<double> LatencyBounds() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
          0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
}

struct Metrics::Series {
  std::string labels;  // As text: the identity inside a family.
  std::unique_ptr<Counter> counter;
  std::unique_ptr<Gauge> gauge;
  std::unique_ptr<Histogram> histogram;
  std::vector<std::pair<const void*, std::function<double()>>> functions;
};

struct Metrics::Family {
  std::string name;
  std::string help;
  Kind kind;
  std::deque<Series> series;
};

Metrics::Metrics() = default;
Metrics::~Metrics() = default;

Metrics::Series& Metrics::FindOrAdd(std::string_view name, std::string_view help, Kind kind,
                                    const MetricLabels& labels) {
  auto family = std::find_if(families_.begin(), families_.end(), [&](const auto& known) {
    return known->name == name && known->kind == kind;
  });
  if (family == families_.end()) {
    assert(std::none_of(families_.begin(), families_.end(),
                        [&](const auto& known) { return known->name == name; }));
    family = families_.insert(
        std::find_if(families_.begin(), families_.end(),
                     [&](const auto& known) { return known->name > name; }),
        std::make_unique<Family>(Family{std::string(name), std::string(help), kind, {}}));
  }
  const std::string text = LabelText(labels);
  for (Series& series : (*family)->series) {
    if (series.labels == text) return series;
  }
  Series& series = (*family)->series.emplace_back();
  series.labels = text;
  return series;
}

Counter& Metrics::AddCounter(std::string_view name, std::string_view help,
                             const MetricLabels& labels) {
  const MutexLock lock(mu_);
  Series& series = FindOrAdd(name, help, Kind::kCounter, labels);
  if (!series.counter) series.counter = std::make_unique<Counter>();
  return *series.counter;
}

Gauge& Metrics::AddGauge(std::string_view name, std::string_view help, const MetricLabels& labels) {
  const MutexLock lock(mu_);
  Series& series = FindOrAdd(name, help, Kind::kGauge, labels);
  if (!series.gauge) series.gauge = std::make_unique<Gauge>();
  return *series.gauge;
}

Histogram& Metrics::AddHistogram(std::string_view name, std::string_view help,
                                 std::vector<double> bounds, const MetricLabels& labels) {
  const MutexLock lock(mu_);
  Series& series = FindOrAdd(name, help, Kind::kHistogram, labels);
  if (!series.histogram) series.histogram = std::make_unique<Histogram>(std::move(bounds));
  return *series.histogram;
}

void Metrics::AddGaugeFn(std::string_view name, std::string_view help, const MetricLabels& labels,
                         std::function<double()> value, const void* owner) {
  const MutexLock lock(mu_);
  FindOrAdd(name, help, Kind::kGauge, labels).functions.emplace_back(owner, std::move(value));
}

void Metrics::RemoveGaugeFns(const void* owner) {
  const MutexLock lock(mu_);
  for (const auto& family : families_) {
    for (Series& series : family->series) {
      std::erase_if(series.functions, [owner](const auto& entry) { return entry.first == owner; });
    }
  }
}

std::string Metrics::Render() const {
  const MutexLock lock(mu_);
  std::string out;
  for (const auto& family : families_) {
    const std::string_view kind = family->kind == Kind::kCounter ? "counter"
                                  : family->kind == Kind::kGauge ? "gauge"
                                                                 : "histogram";
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", family->name,
                   Escaped(family->help, false), family->name, kind);
    for (const Series& series : family->series) {
      if (series.histogram) {
        AppendHistogram(out, family->name, series.labels, *series.histogram);
      } else if (series.counter) {
        AppendSample(out, family->name, series.labels, fmt::format("{}", series.counter->value()));
      } else if (series.gauge && series.functions.empty()) {
        AppendSample(out, family->name, series.labels, fmt::format("{}", series.gauge->value()));
      } else {
        double sum = series.gauge ? static_cast<double>(series.gauge->value()) : 0;
        for (const auto& [owner, function] : series.functions) sum += function();
        AppendSample(out, family->name, series.labels, NumberText(sum));
      }
    }
  }
  return out;
}

}  // namespace confab::process
