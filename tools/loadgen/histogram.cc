#include "tools/loadgen/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace confab::loadgen {
namespace {

constexpr size_t kStepsAnOctave = size_t{1} << Histogram::kStepBits;

}  // namespace

Histogram::Histogram() : counts_(IndexOf(kValueLimit) + 1) {}

// Below one octave's steps each value has its own; behind it, the highest bits choose.
size_t Histogram::IndexOf(int64_t value) {
  const auto v = static_cast<uint64_t>(value);
  if (v < kStepsAnOctave) return v;
  const auto octave = static_cast<size_t>(std::bit_width(v)) - 1;
  const size_t shift = octave - kStepBits;
  return (shift + 1) * kStepsAnOctave + ((v >> shift) & (kStepsAnOctave - 1));
}

Histogram::Step Histogram::StepAt(size_t index) {
  if (index < kStepsAnOctave) {
    return {static_cast<int64_t>(index), static_cast<int64_t>(index) + 1, 0};
  }
  const size_t shift = index / kStepsAnOctave - 1;
  const auto from = static_cast<int64_t>((kStepsAnOctave + index % kStepsAnOctave) << shift);
  return {from, from + (int64_t{1} << shift), 0};
}

void Histogram::Add(int64_t nanoseconds) {
  const int64_t value = std::clamp<int64_t>(nanoseconds, 0, kValueLimit);
  ++counts_[IndexOf(value)];
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
  ++count_;
}

void Histogram::Clear() {
  std::fill(counts_.begin(), counts_.end(), 0);
  count_ = 0;
  min_ = max_ = 0;
  sum_ = 0;
}

int64_t Histogram::Percentile(double percent) const {
  if (count_ == 0) return 0;
  const double share = std::clamp(percent, 0.0, 100.0) / 100;
  const auto rank = std::max<uint64_t>(
      1, static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_) - 1e-9)));
  uint64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen < rank) continue;
    const Step step = StepAt(i);
    return std::clamp(step.from + (step.to - step.from) / 2, min_, max_);
  }
  return max_;
}

std::vector<Histogram::Step> Histogram::Steps() const {
  std::vector<Step> steps;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    steps.push_back(StepAt(i));
    steps.back().count = counts_[i];
  }
  return steps;
}

}  // namespace confab::loadgen
