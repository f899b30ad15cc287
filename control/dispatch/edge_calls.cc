#include "control/dispatch/edge_calls.h"

#include <cstdint>

#include <absl/strings/cord.h>
#include <absl/types/span.h>
#include <fmt/format.h>

#include "confab/v1/edge_link.pb.h"

#include "control/dispatch/store_read.h"
#include "control/status_reason.h"

namespace confab::control {

namespace {

// No reason word is for edges: their names are nobody's but operators'.
absl::Status NoSuchEdge() {
  absl::Status status(absl::StatusCode::kNotFound, "no edge of that name is attached");
  RefusalStatus(v1::REASON_BAD_REQUEST, std::string(status.message()))
      .ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
        status.SetPayload(url, payload);
      });
  return status;
}

}  // namespace

absl::StatusOr<std::vector<std::shared_ptr<Attachment>>> EdgeCalls::List() const {
  if (!dispatcher_.is_serving()) return NotServing();
  return dispatcher_.edges().All();
}

absl::Status EdgeCalls::Drain(const std::string& edge_id, absl::Duration time) {
  if (!dispatcher_.is_serving()) return NotServing();
  if (time > kDrainTimeLimit) {
    return RefusalStatus(
        v1::REASON_BAD_REQUEST,
        fmt::format("drain_ms: at most {}", absl::ToInt64Milliseconds(kDrainTimeLimit)));
  }
  for (const std::shared_ptr<Attachment>& edge : dispatcher_.edges().All()) {
    if (edge->edge_id() != edge_id) continue;
    v1::ControlItem item;
    item.mutable_drain()->set_drain_ms(static_cast<std::uint32_t>(absl::ToInt64Milliseconds(time)));
    edge->stream().Send(absl::MakeSpan(&item, 1));
    return absl::OkStatus();
  }
  return NoSuchEdge();
}

}  // namespace confab::control
