// edge_reports.h: sends notifications to edges and adds up to how many connections they handed them.
// Owns: the reports under way.   Used by: notification_lane.
// Threads: confined to the lane.
// Fails: never; an edge that does not answer in time is left out, and the sum says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <absl/functional/any_invocable.h>

#include "confab/v1/edge_link.pb.h"

#include "control/fanout/edge_outbox.h"
#include "control/fanout/edge_registry.h"

namespace confab::control {

class EdgeReports {
 public:
  using Clock = std::chrono::steady_clock;
  using Edges = std::vector<std::shared_ptr<Attachment>>;
  // `is_exact` false: an edge has not answered.
  using Done = absl::AnyInvocable<void(uint32_t connections, bool is_exact)>;

  // An edge answers within a turn of each io thread; who waits has a deadline of its own.
  static constexpr auto kWaitLimit = std::chrono::milliseconds(500);

  // Numbers are `first + step`, `first + 2 * step` …: unique over the lanes, and never 0.
  EdgeReports(EdgeOutbox& outbox, uint64_t first, uint64_t step)
      : outbox_(outbox), number_(first), step_(step) {}

  // Sends `item`, a Broadcast or Direct with a notification, to each edge. `done` may be called at
  // once.
  void Send(const Edges& edges, const v1::ControlItem& item, Clock::time_point now, Done done);
  void OnReport(const Attachment& edge, const v1::NotificationReport& report);
  void Detach(const Attachment& edge);
  // Ends what waits for too long. Returns when to come again; max(): nothing waits.
  Clock::time_point Expire(Clock::time_point now);

 private:
  struct Sum {
    std::vector<const Attachment*> missing;
    uint32_t connections = 0;
    bool is_exact = true;
    Clock::time_point until;
    Done done;
  };

  EdgeOutbox& outbox_;
  uint64_t number_;
  const uint64_t step_;
  std::map<uint64_t, Sum> sums_;  // In order of their time.
};

}  // namespace confab::control
