// edge_benches.h: the benchmarks of the edge, by hop of the route.
#pragma once

#include "tests/bench/bench_list.h"

namespace confab::edge {

void AddProtocolBenches(tests::BenchList& list);  // Codecs.
void AddDialectBenches(tests::BenchList& list);   // Commands in, events out.
void AddMessageBenches(tests::BenchList& list);  // A client's message up to the link, its ack back.
void AddLinkBenches(tests::BenchList& list);     // The stream's batches, both ways.
void AddDistributorBenches(tests::BenchList& list);  // A batch to its io threads.
void AddSocketBenches(
    tests::BenchList& list);                 // A client's message from its socket to its session.
void AddHubBenches(tests::BenchList& list);  // An event to its subscribers.
void AddOutboxBenches(tests::BenchList& list);  // Frames that wait for a socket.

}  // namespace confab::edge
