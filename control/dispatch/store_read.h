// store_read.h: how calls read the store, past the lanes.
// Used by: dispatcher, presence_calls, notification_calls, feed_calls.
// Threads: any thread; answers come on a reader thread, or inside the call when it is refused.
#pragma once

#include <memory>
#include <utility>

#include "control/dispatch/dispatcher.h"
#include "control/dispatch/room_lanes.h"
#include "control/status_reason.h"

namespace confab::control {

inline absl::Status NotServing() {
  return RefusalStatus(v1::REASON_UNAVAILABLE, "this control is not the active one; try again");
}

// Answers with `work(storage::Store&)`.
template <typename T, typename Work>
void ReadStore(Dispatcher& dispatcher, Work work, Callback<T> done) {
  if (!dispatcher.is_serving()) return done(NotServing());
  RoomLanes& lanes = dispatcher.lanes();
  auto shared = std::make_shared<Callback<T>>(std::move(done));
  const bool is_taken = lanes.readers().Run(
      [&store = lanes.store(), work, shared](bool is_stopping) {
        (*shared)(is_stopping ? absl::StatusOr<T>(NotServing()) : work(store));
      },
      ReadShare::kCalls);
  if (!is_taken) {
    (*shared)(RefusalStatus(v1::REASON_UNAVAILABLE, "too many reads wait; try again",
                            CommitQueue::kRetryAfterMs));
  }
}

}  // namespace confab::control
