// bench_list.h: micro-benchmarks by name: timed by Google Benchmark, or run a fixed number of times
// under callgrind, for tools/bench to compare how many instructions an operation takes.
// Owns: the benchmarks.   Used by: bench_edge, bench_control.
// Threads: caller serialises.
// Fails: a benchmark that does not do what it should ends the process (Require).
#pragma once

#include <benchmark/benchmark.h>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace confab::tests {

struct Bench {
  std::string name;  // "hub/deliver/1000"
  // What one operation is ("delivery"), and how many of them one iteration has.
  std::string unit;
  int operations = 1;
  // Iterations whose instructions are counted; 0: they depend on the moment, only time is measured.
  int64_t counted = 0;
  // Prepares, runs `for (auto _ : state)`. What it prepares must not depend on the iterations.
  std::function<void(benchmark::State&)> body;
};

class BenchList {
 public:
  void Add(Bench bench) { benches_.push_back(std::move(bench)); }

  // The process's main. First argument --counted: runs each counted benchmark twice, with so many
  // iterations and with twice as many, and lets callgrind dump what each run cost under
  // "NAME ITERATIONS OPERATIONS UNIT". Other arguments are Google Benchmark's.
  int Run(int argc, char** argv) const;

 private:
  static void RegisterTimed(const Bench& bench);
  static void RegisterCounted(const Bench& bench, int64_t iterations);

  std::vector<Bench> benches_;
};

// Ends the process where a benchmark would measure something else than it says.
void Require(bool is_true, std::string_view what);

}  // namespace confab::tests
