#include "control/notification/notification_counters.h"

#include "process/metrics.h"

namespace confab::control {
namespace {

process::Counter& Counted(process::Metrics& metrics, const char* result) {
  return metrics.AddCounter("confab_control_notifications_total",
                            "Notifications of services answered, by what became of them",
                            {{"result", result}});
}

}  // namespace

NotificationCounters::NotificationCounters(process::Metrics& metrics)
    : told_(Counted(metrics, "told")),
      told_nobody_(Counted(metrics, "told_nobody")),
      stored_(Counted(metrics, "stored")),
      duplicate_(Counted(metrics, "duplicate")),
      refused_(Counted(metrics, "refused")),
      oldest_dropped_(metrics.AddCounter("confab_control_inbox_dropped_total",
                                         "Entries that a full inbox lost to newer ones")) {}

void NotificationCounters::Count(const absl::StatusOr<v1::NotificationOutcome>& answer) {
  if (!answer.ok()) return refused_.Add();
  if (answer->duplicate()) return duplicate_.Add();
  if (answer->oldest_dropped()) oldest_dropped_.Add();
  if (answer->stored()) return stored_.Add();
  (answer->connections() > 0 ? told_ : told_nobody_).Add();
}

}  // namespace confab::control
