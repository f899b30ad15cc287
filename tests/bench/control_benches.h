// control_benches.h: the benchmarks of control, by hop of the route.
#pragma once

#include "tests/bench/bench_list.h"

namespace confab::control {

void AddRoomBenches(tests::BenchList& list);   // Decisions, and a post's way over its lane.
void AddQueueBenches(tests::BenchList& list);  // A batch's way through the commit queue.
void AddBatchBenches(tests::BenchList& list);  // What is done with a batch before it is sent.
void AddStoreBenches(tests::BenchList& list);  // Batches of messages written.

}  // namespace confab::control
