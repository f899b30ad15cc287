// notification_counters.h: what became of notifications, as figures.
// Owns: nothing.   Used by: notification_lane.
// Threads: any thread; counting takes no lock.
// Fails: never.
#pragma once

#include <absl/status/statusor.h>

#include "confab/v1/types.pb.h"

namespace confab::process {
class Counter;
class Metrics;
}  // namespace confab::process

namespace confab::control {

class NotificationCounters {
 public:
  explicit NotificationCounters(process::Metrics& metrics);

  // A call has its answer.
  void Count(const absl::StatusOr<v1::NotificationOutcome>& answer);

 private:
  process::Counter& told_;
  process::Counter& told_nobody_;
  process::Counter& stored_;
  process::Counter& duplicate_;
  process::Counter& refused_;
  process::Counter& oldest_dropped_;
};

}  // namespace confab::control
