#include "edge/edge_figures.h"

#include <utility>

#include <absl/time/clock.h>

#include "edge/transport/shared_frame.h"

namespace confab::edge {

void EdgeFigures::OnDelivered(std::size_t count, const google::protobuf::Timestamp& created_at) {
  if (count == 0) return;
  metrics_.deliveries.Add(count);
  if (delivered_.size() >= kDeliveredLimit) return;
  delivered_.push_back(absl::FromUnixSeconds(created_at.seconds()) +
                       absl::Nanoseconds(created_at.nanos()));
}

void EdgeFigures::OnTurnEnd(std::ptrdiff_t outbox_bytes) {
  if (!delivered_.empty()) {
    const absl::Time now = absl::Now();
    for (const absl::Time created : delivered_) {
      metrics_.delivery_seconds.Observe(absl::ToDoubleSeconds(now - created));
    }
    delivered_.clear();
  }
  if (outbox_bytes != shown_outbox_bytes_) {
    metrics_.outbox_bytes.Add(outbox_bytes - std::exchange(shown_outbox_bytes_, outbox_bytes));
  }
}

void EdgeFigures::Show(std::size_t subscriptions, std::size_t commands_waiting) {
  const auto show = [](process::Gauge& gauge, std::size_t& shown, std::size_t value) {
    if (value == shown) return;
    gauge.Add(static_cast<std::int64_t>(value) - static_cast<std::int64_t>(shown));
    shown = value;
  };
  show(metrics_.subscriptions, shown_subscriptions_, subscriptions);
  show(metrics_.commands_waiting, shown_waiting_, commands_waiting);
  // A thread frees what it made: never below 0.
  show(metrics_.frame_bytes, shown_frames_, static_cast<std::size_t>(SharedFrame::BytesAlive()));
}

}  // namespace confab::edge
