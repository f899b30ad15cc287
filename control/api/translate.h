// translate.h: what RoomService is given, as the store's values. The way back is room/event_message.
// Threads: pure.
#pragma once

#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <google/protobuf/repeated_ptr_field.h>

#include "confab/v1/room_service.pb.h"

#include "storage/records.h"

namespace confab::control {

// ROLE_MEMBER where no role is given. BAD_REQUEST for a value that is no role.
absl::StatusOr<std::vector<std::pair<storage::UserId, storage::Role>>> MembersOf(
    const google::protobuf::RepeatedPtrField<v1::NewMember>& members);

}  // namespace confab::control
