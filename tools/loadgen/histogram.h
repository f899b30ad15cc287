// histogram.h: how long things took, in steps that grow with the value (the idea of HdrHistogram):
// any count of values in fixed memory, and every percentile within a known error.
// Owns: its counters, some 35 KiB.   Used by: traffic, handshake_run, reports.
// Threads: caller serialises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace confab::loadgen {

class Histogram {
 public:
  // An octave has 128 steps, and a percentile is told as the middle of its step.
  static constexpr int kStepBits = 7;
  static constexpr double kRelativeError = 1.0 / (2 << kStepBits);
  // Above 18 minutes all values share a step: every wait of a run ends sooner.
  static constexpr int64_t kValueLimit = int64_t{1} << 40;

  Histogram();

  void Add(int64_t nanoseconds);  // Less than 0 counts as 0.
  void Clear();

  uint64_t count() const { return count_; }
  int64_t min() const { return count_ == 0 ? 0 : min_; }
  int64_t max() const { return max_; }
  double Mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

  // The smallest value that `percent` of all do not exceed; 0 if there is none.
  int64_t Percentile(double percent) const;

  struct Step {
    int64_t from = 0;  // Inclusive.
    int64_t to = 0;    // Exclusive.
    uint64_t count = 0;
  };
  // Those that hold something, in order.
  std::vector<Step> Steps() const;

 private:
  static size_t IndexOf(int64_t value);
  static Step StepAt(size_t index);

  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  int64_t min_ = 0;
  int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace confab::loadgen
