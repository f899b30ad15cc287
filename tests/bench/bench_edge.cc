// Measures the edge, hop by hop: bench_edge [Google Benchmark's options]; tools/bench runs it.
#include "tests/bench/edge_benches.h"

int main(int argc, char** argv) {
  using namespace confab::edge;  // NOLINT(google-build-using-namespace): of this list.
  confab::tests::BenchList list;
  AddProtocolBenches(list);
  AddDialectBenches(list);
  AddMessageBenches(list);
  AddLinkBenches(list);
  AddDistributorBenches(list);
  AddSocketBenches(list);
  AddHubBenches(list);
  AddOutboxBenches(list);
  return list.Run(argc, argv);
}
