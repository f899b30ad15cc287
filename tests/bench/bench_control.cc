// Measures control, hop by hop: bench_control [Google Benchmark's options]; tools/bench runs it.
#include "tests/bench/control_benches.h"

int main(int argc, char** argv) {
  confab::tests::BenchList list;
  confab::control::AddRoomBenches(list);
  confab::control::AddQueueBenches(list);
  confab::control::AddBatchBenches(list);
  confab::control::AddStoreBenches(list);
  return list.Run(argc, argv);
}
