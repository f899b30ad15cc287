// event_message.h: events, rooms, members and roles as the contract spells them.
// Threads: pure.
#pragma once

#include <cstdint>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "confab/v1/edge_link.pb.h"
#include "confab/v1/types.pb.h"

#include "storage/read_pointer.h"
#include "storage/records.h"

namespace confab::control {

v1::Role ToMessage(storage::Role role);
google::protobuf::Timestamp ToMessage(absl::Time time);
absl::Time TimeOf(const google::protobuf::Timestamp& time);

v1::Room ToMessage(const storage::RoomRecord& record);
// With what the member has read of it.
v1::Room ToMessage(const storage::MembershipRecord& record);
v1::Member ToMessage(const storage::MemberRecord& record);

// BAD_REQUEST for a value that is no role; unset where `unset` is kNone.
absl::StatusOr<storage::Role> RoleOf(v1::Role role, storage::Role unset);
// Unset is private. BAD_REQUEST for a value that is none of them.
absl::StatusOr<bool> IsPublic(v1::RoomVisibility visibility);

// What edges are sent; `event` is moved out of.
v1::RoomEvent MakeRoomEvent(const storage::RoomId& room, int64_t seq, absl::Time created_at,
                            storage::NewEvent& event, const storage::MessageMarks& marks);
// The same into one that is empty, wherever it stands.
void FillRoomEvent(const storage::RoomId& room, int64_t seq, absl::Time created_at,
                   storage::NewEvent& event, const storage::MessageMarks& marks,
                   v1::RoomEvent& out);

v1::Event MakeEvent(storage::EventRecord& record);
void FillEvent(storage::EventRecord& record, v1::Event& out);

}  // namespace confab::control
