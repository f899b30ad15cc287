#include "tests/tools/loadgen/outcome_fixture.h"

namespace confab::loadgen {

Outcome SampleOutcome(Scenario scenario) {
  Outcome outcome;
  outcome.options.scenario = scenario;
  outcome.run = "abc123";
  outcome.started_at = "2026-01-02T03:04:05Z";
  outcome.connections = 10;
  outcome.elapsed_s = 2;
  outcome.plan = {.members_per_room = 10};
  if (scenario == Scenario::kHandshake) {
    outcome.counts.handshakes = 500;
    for (int64_t i = 1; i <= 500; ++i) {
      for (Histogram* histogram :
           {&outcome.steps.connect, &outcome.steps.upgrade, &outcome.steps.admit,
            &outcome.steps.join, &outcome.steps.whole}) {
        histogram->Add(i * 1'000);
      }
    }
  } else if (scenario != Scenario::kIdle) {
    outcome.plan.senders_per_room = 1;
    outcome.plan.window = 1;
    outcome.counts.sent = outcome.counts.acked = 1'000;
    outcome.counts.delivered = 10'000;
    for (int64_t i = 1; i <= 1'000; ++i) {
      outcome.ack.Add(i * 1'000);
      outcome.delivery.Add(i * 2'000);
    }
  }
  const ProcessUsage start{.user_s = 1, .system_s = 1, .rss_bytes = 10 << 20, .processes = 1};
  const ProcessUsage end{.user_s = 1.3, .system_s = 1.2, .rss_bytes = 11 << 20, .processes = 1};
  for (const char* name : {"edge", "control<&>"}) {
    outcome.processes.push_back(
        {.process = {name, 4711}, .at_start = start, .at_begin = start, .at_end = end});
  }
  outcome.own_cpu_s = 0.5;
  for (const double at : {0.5, 1.0, 1.5, 2.0}) {
    outcome.moments.push_back({.at_s = at,
                               .messages_per_s = 500,
                               .deliveries_per_s = 5'000,
                               .handshakes_per_s = 250,
                               .own_cores = 0.25,
                               .cores = {0.2, 0.1}});
  }
  return outcome;
}

}  // namespace confab::loadgen
