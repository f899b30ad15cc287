// edge_answer.h: a callback that sends the Result of an edge's command and releases its admission.
// Used by: edge_reads, edge_notifications.
// Threads: any thread; the Result is sent where the callback is called.
#pragma once

#include <memory>
#include <utility>

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include "confab/v1/edge_link.pb.h"

#include "control/fanout/edge_registry.h"
#include "control/room/room_calls.h"
#include "control/status_reason.h"

namespace confab::control {

// `fill(T&, v1::Result&)` writes what an answer that is OK says. REQUIRES: edge->Admit() was true.
template <typename T, typename Fill>
Callback<T> Answer(const std::shared_ptr<Attachment>& edge, const v1::Command& command, Fill fill) {
  return [edge, connection = command.connection(), request = command.request(),
          fill = std::move(fill)](absl::StatusOr<T> answer) {
    v1::ControlItem item;
    v1::Result& result = *item.mutable_result();
    result.set_connection(connection);
    result.set_request(request);
    if (answer.ok()) {
      fill(*answer, result);
    } else {
      *result.mutable_error() = ErrorOf(answer.status());
    }
    edge->Release();
    edge->stream().Send(absl::MakeSpan(&item, 1));
  };
}

}  // namespace confab::control
