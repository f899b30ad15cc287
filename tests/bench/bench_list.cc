#include "tests/bench/bench_list.h"

#include <cstdio>
#include <cstdlib>
#include <valgrind/callgrind.h>

namespace confab::tests {

namespace {
constexpr std::string_view kCounted = "--counted";
}  // namespace

void Require(bool is_true, std::string_view what) {
  if (is_true) return;
  std::fprintf(stderr, "benchmark: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

void BenchList::RegisterTimed(const Bench& bench) {
  benchmark::RegisterBenchmark(bench.name.c_str(), [bench](benchmark::State& state) {
    using benchmark::Counter;
    bench.body(state);
    state.counters[bench.unit] =
        Counter(bench.operations, Counter::kIsIterationInvariantRate | Counter::kInvert);
  });
}

// What is prepared is counted too, both times alike: the difference of the two runs is without it.
void BenchList::RegisterCounted(const Bench& bench, int64_t iterations) {
  const std::string label = bench.name + " " + std::to_string(iterations) + " " +
                            std::to_string(bench.operations) + " " + bench.unit;
  benchmark::RegisterBenchmark(label.c_str(), [bench, label](benchmark::State& state) {
    CALLGRIND_ZERO_STATS;
    bench.body(state);
    CALLGRIND_DUMP_STATS_AT(label.c_str());
  })->Iterations(iterations);
}

int BenchList::Run(int argc, char** argv) const {
  std::vector<char*> arguments(argv, argv + argc);
  const bool is_counting = argc > 1 && argv[1] == kCounted;
  if (is_counting) arguments.erase(arguments.begin() + 1);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  for (const Bench& bench : benches_) {
    if (!is_counting) {
      RegisterTimed(bench);
    } else if (bench.counted > 0) {
      RegisterCounted(bench, bench.counted);
      RegisterCounted(bench, 2 * bench.counted);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace confab::tests
