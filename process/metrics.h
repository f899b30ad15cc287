// metrics.h: counters, gauges and histograms in Prometheus' text exposition.
// Owns: every metric; references stay valid as long as this object.   Used by: all parts,
// ops_server. Threads: any thread; Add… and Render take `mu_`, counting is a relaxed atomic and
// takes no lock. Fails: never; REQUIRES that one name keeps one kind (assert) and labels stay few.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "process/mutex.h"

namespace confab::process {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Its own cache line: neighbours are counted by other threads.
class alignas(64) Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class alignas(64) Gauge {
 public:
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void Add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

class alignas(64) Histogram {
 public:
  // `bounds` ascending; +Inf is added.
  explicit Histogram(std::vector<double> bounds);
  void Observe(double value);

  const std::vector<double>& bounds() const { return bounds_; }
  uint64_t bucket(size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<double> bounds_;
  std::unique_ptr<std::atomic<uint64_t>[]> buckets_;  // bounds_.size() + 1, not cumulative.
  std::atomic<double> sum_{0};
};

// Bounds in seconds, from 100 µs to 10 s: for everything a user waits for.
std::vector<double> LatencyBounds();

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The same name and labels give the same object, so that threads may share or each ask anew.
  Counter& AddCounter(std::string_view name, std::string_view help,
                      const MetricLabels& labels = {});
  Gauge& AddGauge(std::string_view name, std::string_view help, const MetricLabels& labels = {});
  Histogram& AddHistogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                          const MetricLabels& labels = {});

  // Asked at each Render, on the renderer's thread; must not block nor call back into Metrics.
  // Several functions of one name and labels are summed. REQUIRES: `value` may be called until
  // RemoveGaugeFns(owner) returned; a null owner stands for "as long as this object".
  void AddGaugeFn(std::string_view name, std::string_view help, const MetricLabels& labels,
                  std::function<double()> value, const void* owner = nullptr);

  // Forgets the owner's functions; waits for a Render that is running.
  void RemoveGaugeFns(const void* owner);

  // The whole exposition, families by name.
  std::string Render() const;

 private:
  struct Series;
  struct Family;
  enum class Kind { kCounter, kGauge, kHistogram };

  Series& FindOrAdd(std::string_view name, std::string_view help, Kind kind,
                    const MetricLabels& labels) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;  // Held by Render too, so that a removed function is never called.
  std::deque<std::unique_ptr<Family>> families_ ABSL_GUARDED_BY(mu_);
};

}  // namespace confab::process
