#include "control/dispatch/edge_calls.h"

#include <cstdint>
#include <utility>

#include <absl/strings/cord.h>
#include <absl/types/span.h>
#include <fmt/format.h>

#include "confab/v1/edge_link.pb.h"

#include "control/dispatch/recorded_act.h"
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

absl::StatusOr<EdgeTold> Tell(const Dispatcher& dispatcher, const std::string& edge_id,
                              absl::Duration time) {
  const std::shared_ptr<Attachment> edge = dispatcher.edges().Find(edge_id);
  if (edge == nullptr) return NoSuchEdge();  // It has gone meanwhile.
  v1::ControlItem item;
  item.mutable_drain()->set_drain_ms(static_cast<std::uint32_t>(absl::ToInt64Milliseconds(time)));
  edge->stream().Send(absl::MakeSpan(&item, 1));
  return EdgeTold();
}

}  // namespace

absl::StatusOr<std::vector<std::shared_ptr<Attachment>>> EdgeCalls::List() const {
  if (!dispatcher_.is_serving()) return NotServing();
  return dispatcher_.edges().All();
}

void EdgeCalls::Drain(const std::string& edge_id, absl::Duration time, const Asker& asker,
                      Deadline deadline, Callback<EdgeTold> done) {
  if (!dispatcher_.is_serving()) return done(NotServing());
  if (time > kDrainTimeLimit) {
    return done(RefusalStatus(
        v1::REASON_BAD_REQUEST,
        fmt::format("drain_ms: at most {}", absl::ToInt64Milliseconds(kDrainTimeLimit))));
  }
  if (dispatcher_.edges().Find(edge_id) == nullptr) return done(NoSuchEdge());
  RecordAct(dispatcher_.lanes(), "edge.drain", asker, storage::UserId(edge_id),
            dispatcher_.DeadlineOf(deadline),
            [&dispatcher = dispatcher_, edge_id, time,
             done = std::move(done)](const absl::Status& recorded) mutable {
              if (!recorded.ok()) return done(recorded);
              done(Tell(dispatcher, edge_id, time));
            });
}

}  // namespace confab::control
