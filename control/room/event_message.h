// event_message.h: an event of the log as the contract spells it.
// Threads: pure.
#pragma once

#include <cstdint>

#include <absl/time/time.h>

#include "confab/v1/edge_link.pb.h"
#include "confab/v1/types.pb.h"

#include "storage/records.h"

namespace confab::control {

v1::Role ToMessage(storage::Role role);
google::protobuf::Timestamp ToMessage(absl::Time time);

// What edges are sent; `event` is moved out of.
v1::RoomEvent MakeRoomEvent(const storage::RoomId& room, int64_t seq, absl::Time created_at,
                            storage::NewEvent& event);

v1::Event MakeEvent(storage::EventRecord& record);

}  // namespace confab::control
