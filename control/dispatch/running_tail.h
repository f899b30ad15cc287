// running_tail.h: a service that follows a room's log, from its call to its end.
// Used by: dispatcher.
// Threads: any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "control/fanout/tail_sink.h"
#include "storage/records.h"

namespace confab::control {

class RoomLanes;

// Follows the room behind `after_seq`, or from now on; refusals come through the sink. The tail keeps
// the lanes.
std::unique_ptr<Tail> StartTail(const std::shared_ptr<RoomLanes>& lanes, storage::RoomId room,
                                std::optional<int64_t> after_seq, std::shared_ptr<TailSink> sink);

// Of a call that was refused.
std::unique_ptr<Tail> EndedTail();

}  // namespace confab::control
